"""What a speaker may do and what follows: pure, without clock, ids, randomness or I/O."""

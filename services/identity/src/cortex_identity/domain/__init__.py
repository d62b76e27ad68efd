"""What a participant is, and what may happen to it."""

"""What sessions, messages and attendances are, and what may happen to them."""

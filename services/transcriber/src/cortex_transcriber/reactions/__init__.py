"""What happened in other services, and what is to be done about it."""

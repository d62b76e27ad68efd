"""PostgreSQL: event store, read models, checkpoints, elections."""

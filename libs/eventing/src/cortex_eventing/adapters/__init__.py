"""Adapters of the ports: PostgreSQL, NATS, memory."""

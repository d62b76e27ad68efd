"""Real PostgreSQL and real nats-server, started from wheels on loopback, for tests, demo and small installations."""

from cortex_runtime.adapters.embedded.nats import NatsServer, embedded_nats
from cortex_runtime.adapters.embedded.postgres import PostgresServer, embedded_postgres

__all__ = ["NatsServer", "PostgresServer", "embedded_nats", "embedded_postgres"]

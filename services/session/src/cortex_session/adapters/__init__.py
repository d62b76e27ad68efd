"""Where sessions meet gRPC, PostgreSQL and NATS."""

"""NATS JetStream: a service's stream, for its relay and for readers."""

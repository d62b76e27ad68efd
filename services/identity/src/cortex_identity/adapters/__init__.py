"""Where identity meets gRPC and PostgreSQL."""

"""Where the runtime meets the world outside: gRPC, HTTP, PostgreSQL, the servers that it runs itself."""

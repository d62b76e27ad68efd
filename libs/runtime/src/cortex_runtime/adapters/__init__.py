"""What the runtime does with servers, sockets and processes."""

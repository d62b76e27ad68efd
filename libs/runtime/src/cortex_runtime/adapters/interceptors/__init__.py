"""What stands between gRPC and every handler: admission, errors, metrics, traces, drain."""

"""What works without any service: the only modules that know the transcriber's package, which may be missing."""

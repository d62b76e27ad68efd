"""What touches the outside: models on onnxruntime, resampling, transport and store."""

"""Python SDK of Cortex and the cortex command line."""

"""pytest plugin, in-memory adapters, contract suites and fault tools of Cortex."""

"""Event sourcing for Cortex: deciders, append, relay, feed, projections, reactions."""

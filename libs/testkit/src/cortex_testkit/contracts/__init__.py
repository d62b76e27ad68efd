"""What every adapter of a port must do: one base class for each port, inherited by the tests of its adapters."""

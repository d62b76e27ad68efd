"""Questions that the transcriber asks of its own events."""

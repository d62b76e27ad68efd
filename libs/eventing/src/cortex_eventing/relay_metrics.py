"""What a relay counts."""

from prometheus_client import Counter, Gauge

POSITION = Gauge("cortex_relay_position", "The position up to which the stream is filled.", ["stream"])
LAG = Gauge("cortex_relay_lag_positions", "The store's head minus the position sent last.", ["stream"])
PUBLISHED = Counter("cortex_relay_published", "Events sent to the stream.", ["stream"])
FENCED = Counter("cortex_relay_fenced", "Times that the stream's end was not where it was thought to be.", ["stream"])
REFILLS = Counter("cortex_relay_refills", "Times that a wiped stream was filled from the beginning.", ["stream"])

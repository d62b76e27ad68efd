"""The machine's clock."""

from datetime import UTC, datetime


class SystemClock:
    """The port `cortex_eventing.clock.Clock` on the machine's own clock."""

    def now(self) -> datetime:
        """The present, in UTC."""
        return datetime.now(UTC)

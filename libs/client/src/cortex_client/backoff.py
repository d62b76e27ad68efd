"""How long to wait before trying again."""

import random
from dataclasses import dataclass, field

# The first wait is short, because most absences are a restart; the last bounds how late a return is noticed.
FIRST_S = 0.05
LAST_S = 2.0


@dataclass
class Backoff:
    """Waits that double with each failure, with jitter, so that many clients do not come back at one moment.

    Attributes:
        jitter: a number between 0 and 1 each time.
    """

    jitter: random.Random = field(default_factory=random.Random)
    failures: int = 0

    def reset(self) -> None:
        """It worked: the next wait is short again."""
        self.failures = 0

    def next(self, asked_for: float | None = None) -> float:
        """Seconds to wait now: at least what the service asked for."""
        longest: float = min(LAST_S, FIRST_S * 2 ** min(self.failures, 16))
        self.failures += 1
        return max(asked_for or 0.0, longest * self.jitter.uniform(0.5, 1.0))

"""How often something that costs by the round may begin one: a token bucket."""


class Pace:
    """Lets rounds begin at once as long as there are few, and has them wait for one another when there are many.

    Each round takes a token, or more when it is dear; tokens come back at a fixed rate, and only so many are kept.

    Args:
        rate: tokens a second.
        burst: tokens kept.
    """

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = burst
        self._at = 0.0

    def wait_after(self, cost: float, now: float) -> float:
        """Seconds to wait before the next round, after one that has taken `cost` tokens by `now`, in rising seconds."""
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate) - cost
        self._at = now
        return max(0.0, -self._tokens / self._rate)

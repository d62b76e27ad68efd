"""The meeting's clock: when each moment of it is due in the time of this machine."""

import asyncio
import time


class Pace:
    """Plays seconds of the meeting at a speed, from the moment it is made."""

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._began = time.monotonic()

    async def until(self, seconds: float) -> None:
        """Wait until this moment of the meeting. What is late is due at once, but others get their turn."""
        await asyncio.sleep(max(0.0, self._began + seconds / self._speed - time.monotonic()))

"""Whether this process can serve: named conditions that all must hold.

Of other servers only PostgreSQL is a condition; the transcriber adds its warm-up. Losing one is a state and no death.
"""

import asyncio

POSTGRES = "postgres"


class Readiness:
    """Conditions by name, none of which holds at first."""

    def __init__(self, *conditions: str) -> None:
        self._met = dict.fromkeys(conditions, False)
        self._changed = asyncio.Event()

    @property
    def ready(self) -> bool:
        """Whether every condition holds."""
        return all(self._met.values())

    def holds(self, condition: str) -> bool:
        """Whether one condition holds."""
        return self._met[condition]

    def set(self, condition: str, met: bool) -> None:
        """Say whether a condition holds now.

        Raises:
            KeyError: nobody waits for this condition.
        """
        if self._met[condition] == met:
            return
        self._met[condition] = met
        self._changed.set()
        self._changed = asyncio.Event()

    async def changes_from(self, ready: bool) -> bool:
        """Wait until `ready` is no longer the answer; the new answer."""
        while self.ready == ready:
            await self._changed.wait()
        return self.ready

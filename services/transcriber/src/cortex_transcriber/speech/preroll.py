"""The audio just before the point of resumption, for decoders that need some before they are exact."""

from collections import deque
from collections.abc import Sequence


class Preroll:
    """Keeps the last frames that came before the first one that counts, as long as they follow each other."""

    def __init__(self, frames: int) -> None:
        self._payloads: deque[bytes] = deque(maxlen=frames)
        self._next = 0
        self._open = frames > 0

    def add(self, first_sequence: int, payloads: Sequence[bytes]) -> None:
        """Keep frames that are passed over."""
        if self._open:
            if first_sequence != self._next:
                self._payloads.clear()
            self._payloads.extend(payloads)
            self._next = first_sequence + len(payloads)

    def before(self, sequence: int) -> list[bytes]:
        """The frames just before the first one that counts; only once."""
        if not self._open:
            return []
        self._open = False
        kept = list(self._payloads) if self._next == sequence else []
        self._payloads.clear()
        return kept

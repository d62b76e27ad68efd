"""Up to where a peer's audio may be acknowledged: everything before is stored, or was silence."""

from collections import deque
from dataclasses import dataclass

from cortex_transcriber.speech.events import QuietThrough, SegmentReady


@dataclass
class _Pending:
    segment: SegmentReady
    done: bool = False


class Watermark:
    """Follows the events of one stream in their order, and the fate of its segments in any order."""

    def __init__(self, acknowledged: int) -> None:
        self.acknowledged = acknowledged
        self._waiting: deque[_Pending | QuietThrough] = deque()
        self._pending: dict[int, _Pending] = {}

    def heard(self, event: SegmentReady | QuietThrough) -> bool:
        """Take note of an event; whether `acknowledged` moved."""
        if isinstance(event, SegmentReady):
            entry = self._pending[event.first_sequence] = _Pending(event)
            self._waiting.append(entry)
        else:
            self._waiting.append(event)
        return self._move()

    def settled(self, segment: SegmentReady) -> bool:
        """The segment is durable, or had no words; whether `acknowledged` moved."""
        self._pending.pop(segment.first_sequence).done = True
        return self._move()

    def _move(self) -> bool:
        before = self.acknowledged
        while self._waiting:
            entry = self._waiting[0]
            if isinstance(entry, QuietThrough):
                self.acknowledged = max(self.acknowledged, entry.sequence)
            elif not entry.done:
                break
            elif entry.segment.settles:
                self.acknowledged = max(self.acknowledged, entry.segment.last_sequence)
            self._waiting.popleft()
        return self.acknowledged > before

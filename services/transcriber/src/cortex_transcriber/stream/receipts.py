"""When frames came in, by this process's clock: proof of when something was said, whatever clock the bot has."""

from collections import deque


class Receipts:
    """When which frames of one peer came.

    Whoever asks goes forward and says what is done with, so that it holds as many entries as messages of a bot hold
    the audio that is not stored yet, which is bounded elsewhere.
    """

    def __init__(self) -> None:
        self._came: deque[tuple[int, float]] = deque()

    def came(self, first_sequence: int, at: float) -> None:
        """This frame, and those after it up to the next that is told of, came then.

        One that comes after later ones is taken to have come with those before it.
        """
        if not self._came or first_sequence > self._came[-1][0]:
            self._came.append((first_sequence, at))

    def of(self, sequence: int) -> float:
        """When a frame came. One that was never told of is taken for the earliest that is still known.

        Raises:
            LookupError: nothing ever came.
        """
        self.forget_before(sequence)
        return self._came[0][1]

    def forget_before(self, sequence: int) -> None:
        """No earlier frame will be asked for."""
        while len(self._came) > 1 and self._came[1][0] <= sequence:
            self._came.popleft()

    def __len__(self) -> int:
        """How many entries are held."""
        return len(self._came)

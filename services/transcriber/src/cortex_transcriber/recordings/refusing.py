"""Why a recording is refused."""

from datetime import timedelta
from typing import Final

from cortex_eventing.errors import InvalidInput, LimitReached

FIELD: Final = "audio"
"""The request's field that holds the recording."""

TAKEN: Final = "must be a WAV, FLAC or Ogg Opus file"

RETRY_AFTER: Final = timedelta(seconds=5)
"""About as long as a few minutes of speech take to be heard."""


class RecordingRefused(InvalidInput):
    """A recording that can never be heard; names the rule that it breaks."""

    reason = "RECORDING_REFUSED"

    def __init__(self, rule: str) -> None:
        super().__init__(f"{FIELD} {rule}", field=FIELD)
        self.rule = rule


class NotTaken(RecordingRefused):
    """A file of another kind than those that are taken."""

    reason = "RECORDING_FORMAT"

    def __init__(self, more: str = "") -> None:
        super().__init__(TAKEN + more)


class CutOff(RecordingRefused):
    """A file that is shorter than it says: what is missing was recorded, and would silently not be heard."""

    reason = "RECORDING_CUT_OFF"

    def __init__(self) -> None:
        super().__init__("must be whole: the file is cut off, it promises more audio than it holds")


class Damaged(RecordingRefused):
    """A file that is not what it says."""

    reason = "RECORDING_DAMAGED"

    def __init__(self) -> None:
        super().__init__("must be undamaged: the file cannot be decoded")


class TooLarge(RecordingRefused):
    """A file of more bytes than are taken."""

    reason = "RECORDING_TOO_LARGE"

    def __init__(self, largest_bytes: int) -> None:
        super().__init__(f"must be at most {largest_bytes} bytes")


class TooLong(RecordingRefused):
    """A recording of more seconds than are taken."""

    reason = "RECORDING_TOO_LONG"

    def __init__(self, longest_s: int) -> None:
        super().__init__(f"must be at most {longest_s} seconds long")


class TooMany(LimitReached):
    """As many recordings are being heard as may be."""

    reason = "RECORDINGS_BUSY"

    def __init__(self, at_once: int) -> None:
        super().__init__(f"at most {at_once} recordings are heard at once", retry_after=RETRY_AFTER, field=FIELD)

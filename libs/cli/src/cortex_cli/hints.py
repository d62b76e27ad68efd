"""What to do about a recording that was refused."""

from typing import Final

from cortex_cli.complaint import Complaint

HINTS: Final = {
    "LANGUAGE_NOT_HEARD": "see `cortex models list`",
    "MODEL_HEARS_ANOTHER_LANGUAGE": "name the model or the language",
    "MODEL_NOT_FOUND": "see `cortex models list --service`",
    "RECORDING_CUT_OFF": "copy it again from where it was recorded",
    "RECORDING_DAMAGED": "does it play? copy it again from where it was recorded",
    "RECORDING_FORMAT": "`ffmpeg -i IN out.flac` makes one",
    "RECORDING_TOO_LARGE": "make it smaller as FLAC or Ogg Opus, or leave out --service",
    "RECORDING_TOO_LONG": "split it, or leave out --service",
}
"""By the reason of the refusal."""

FIELD: Final = "audio "
"""What messages call the recording; here its name stands before them."""


def refused(message: str, reason: str) -> Complaint:
    """The complaint about a recording that was refused with this message for this reason."""
    return Complaint(message.removeprefix(FIELD), HINTS.get(reason, ""))

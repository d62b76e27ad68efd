"""Why a speaker's command is refused."""

from cortex_eventing.errors import NotFound, WrongState


class SpeakerUnknown(NotFound):
    """The peer never joined this session."""

    def __init__(self) -> None:
        super().__init__("speaker")


class AlreadyHeard(WrongState):
    """An utterance begins in audio that is in stored utterances already: another stream was faster. Harmless.

    Attributes:
        heard_through: the sequence number up to which audio is in stored utterances.
    """

    reason = "ALREADY_HEARD"

    def __init__(self, heard_through: int) -> None:
        super().__init__("this audio is in a stored utterance already", field="first_sequence")
        self.heard_through = heard_through


class NumberingChanged(WrongState):
    """A peer came back with another zero or frame duration, so that its numbers would mean other times."""

    reason = "NUMBERING_CHANGED"

    def __init__(self) -> None:
        super().__init__(
            "a peer keeps the sequence_zero_at and frame_duration of its first join in a session",
            field="peer_joined.sequence_zero_at",
        )

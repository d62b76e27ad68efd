"""What can go wrong with a command or a query.

    CortexError
    ├── Rejected               the caller asked for something that is not so; never repeated unchanged
    │   ├── InvalidInput       can never be right, names the field
    │   ├── NotFound           missing and foreign alike
    │   ├── WrongState         right at another time
    │   ├── AlreadyExists      a claim is taken
    │   ├── Outdated           the caller's etag is not the current one
    │   └── LimitReached       too much of something; try again later
    ├── Unavailable            a server that is needed is away; try again
    │   └── Contended          others were faster again and again; nothing was done, try again
    └── Impossible             an event that does not fit the state: a defect, or a damaged store

One table in the runtime turns each kind into a gRPC status. `reason` is the machine-readable word of ErrorInfo; the
message is for people and never holds speech, names, emails, external user ids or keys.
"""

from dataclasses import dataclass
from datetime import timedelta


class CortexError(Exception):
    """The root of all errors of our own."""


class Rejected(CortexError):
    """The caller asked for something that is not so.

    Attributes:
        reason: upper snake case, at most 63 letters, stable for ever.
        message: one sentence for people.
        field: the request's field that is at fault, or an empty string.
    """

    reason = "REJECTED"

    def __init__(self, message: str, *, reason: str | None = None, field: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason or type(self).reason
        self.field = field


class InvalidInput(Rejected):
    """The request can never be right."""

    reason = "INVALID_INPUT"


class NotFound(Rejected):
    """There is no such thing in this project, whether it is missing or another project's."""

    reason = "NOT_FOUND"

    def __init__(self, kind: str, *, reason: str | None = None, field: str = "") -> None:
        super().__init__(f"no such {kind}", reason=reason or f"{kind.upper().replace(' ', '_')}_NOT_FOUND", field=field)


class WrongState(Rejected):
    """The request would be right at another time."""

    reason = "WRONG_STATE"


class AlreadyExists(Rejected):
    """Something else holds what the request wants for itself alone."""

    reason = "ALREADY_EXISTS"


class Outdated(Rejected):
    """The caller's etag is not the current one."""

    reason = "ETAG_MISMATCH"


class LimitReached(Rejected):
    """Too much of something; `retry_after` says when to try again."""

    reason = "LIMIT_REACHED"

    def __init__(self, message: str, *, retry_after: timedelta, reason: str | None = None, field: str = "") -> None:
        super().__init__(message, reason=reason, field=field)
        self.retry_after = retry_after


class Unavailable(CortexError):
    """A server that is needed is away. Nothing is known about the outcome; asking again is safe with a request id."""

    def __init__(self, what: str, *, retry_after: timedelta = timedelta(seconds=1)) -> None:
        super().__init__(f"{what} is away")
        self.retry_after = retry_after


class Contended(Unavailable):
    """Others changed the same thing again and again meanwhile, and nothing was done."""

    def __init__(self) -> None:
        super().__init__("")
        self.args = ("others change this all the time",)


class Impossible(CortexError):
    """An event does not fit the state it was folded into: a defect of ours, or a damaged store."""

    def __init__(self, event: object, state: object) -> None:
        super().__init__(f"{type(event).__name__} cannot happen to {type(state).__name__}")


@dataclass(frozen=True)
class ClaimTakenBy:
    """Who holds a claim that a command wanted."""

    kind: str
    owner: str


class ClaimTaken(AlreadyExists):
    """A claim that the command wanted belongs to another owner, who is named so that create-or-find can answer."""

    reason = "CLAIM_TAKEN"

    def __init__(self, taken: ClaimTakenBy) -> None:
        super().__init__(f"this {taken.kind.replace('_', ' ')} is taken")
        self.taken = taken

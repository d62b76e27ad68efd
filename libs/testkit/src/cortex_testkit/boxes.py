"""A small aggregate over `sample_events`, for tests of carrying out commands: boxes that hold at most ten things."""

import uuid
from dataclasses import dataclass, replace

from cortex_eventing.decider import Claim, Decider, Decision
from cortex_eventing.errors import AlreadyExists, Impossible, NotFound, WrongState
from google.protobuf.message import Message

from cortex_testkit.sample_events import BoxFilled, BoxOpened

ROOM = 10


@dataclass(frozen=True)
class OpenBox:
    """Open a new box, on a shelf that nobody else has if one is named."""

    box_id: uuid.UUID
    label: str = "plain"
    shelf: str = ""


@dataclass(frozen=True)
class FillBox:
    """Put things into a box, or take some out; none changes nothing."""

    box_id: uuid.UUID
    amount: int


@dataclass(frozen=True)
class Box:
    """A box that was opened."""

    label: str
    amount: int = 0


BoxCommand = OpenBox | FillBox


def _decide(command: BoxCommand, box: Box | None) -> Decision[Message]:
    match command:
        case OpenBox(box_id, label, shelf):
            if box is not None:
                raise AlreadyExists("this box is open")
            take = [Claim("shelf", shelf, str(box_id))] if shelf else []
            return Decision([BoxOpened(box_id=str(box_id), label=label)], take=take)
        case FillBox(box_id, amount):
            if box is None:
                raise NotFound("box")
            if not 0 <= box.amount + amount <= ROOM:
                raise WrongState("this box is full", reason="BOX_FULL")
            return Decision([BoxFilled(box_id=str(box_id), amount=amount)] if amount else [])


def _evolve(box: Box | None, event: Message) -> Box:
    match box, event:
        case None, BoxOpened():
            return Box(event.label)  # type: ignore[attr-defined]
        case Box(), BoxFilled():
            return replace(box, amount=box.amount + event.amount)  # type: ignore[attr-defined]
    raise Impossible(event, box)


BOXES: Decider[BoxCommand, Box, Message] = Decider(
    name="box",
    aggregate_id=lambda command: command.box_id,
    decide=_decide,
    evolve=_evolve,
    events=(BoxOpened, BoxFilled),
)

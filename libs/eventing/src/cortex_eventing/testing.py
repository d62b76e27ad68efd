"""Rules of a decider, tested as sentences: given events, when a command comes, then events or a refusal.

given = situations(SESSIONS)

given(CREATED).when(StopSession(...)).then(ENDED, released=[ROOM])
given(CREATED, ENDED).when(StartSession(...)).then_refused(WrongState, reason="SESSION_ENDED")
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic

from cortex_eventing.decider import Claim, Command, Decider, Decision, Event, State
from cortex_eventing.errors import Rejected


@dataclass(frozen=True)
class Outcome(Generic[Command, State, Event]):
    """What a command led to: a decision, or a refusal."""

    decider: Decider[Command, State, Event]
    state: State | None
    decision: Decision[Event] | None
    refusal: Rejected | None

    def then(self, *events: Event, taken: Sequence[Claim] = (), released: Sequence[Claim] = ()) -> None:
        """Exactly these events, which fit the state, and these claims.

        Raises:
            AssertionError: it came otherwise.
        """
        decision = self._decided()
        assert list(decision.events) == list(events), f"{decision.events} instead of {events}"  # noqa: S101
        assert list(decision.take) == list(taken), f"took {decision.take}"  # noqa: S101
        assert list(decision.release) == list(released), f"released {decision.release}"  # noqa: S101
        self.decider.fold(decision.events, self.state)

    def then_nothing(self) -> None:
        """No event and no claim.

        Raises:
            AssertionError: it came otherwise.
        """
        self.then()

    def then_refused(self, kind: type[Rejected], *, reason: str = "", field: str = "") -> None:
        """A refusal of this kind, with this reason (default: the kind's own) about this field.

        Raises:
            AssertionError: it came otherwise.
        """
        refusal = self.refusal
        assert isinstance(refusal, kind), f"{refusal!r} instead of {kind.__name__}"  # noqa: S101
        assert (refusal.reason, refusal.field) == (reason or kind.reason, field)  # noqa: S101

    def state_after(self) -> State | None:
        """The state that the events lead to."""
        return self.decider.fold(self._decided().events, self.state)

    def _decided(self) -> Decision[Event]:
        assert self.decision is not None, f"refused: {self.refusal!r}"  # noqa: S101
        return self.decision


@dataclass(frozen=True)
class Situation(Generic[Command, State, Event]):
    """What has happened so far."""

    decider: Decider[Command, State, Event]
    state: State | None

    def when(self, command: Command) -> Outcome[Command, State, Event]:
        """A command comes."""
        try:
            decision = self.decider.decide(command, self.state)
        except Rejected as refusal:
            return Outcome(self.decider, self.state, None, refusal)
        return Outcome(self.decider, self.state, decision, None)


def situations(
    decider: Decider[Command, State, Event],
) -> Callable[..., Situation[Command, State, Event]]:
    """`given` for a decider: `given(*events)` is the situation after these events."""

    def given(*events: Event) -> Situation[Command, State, Event]:
        return Situation(decider, decider.fold(events))

    return given

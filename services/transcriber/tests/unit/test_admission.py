import pytest
from cortex_eventing.errors import LimitReached
from cortex_transcriber.speech.lateness import Lateness
from cortex_transcriber.stream.admission import Admission
from cortex_transcriber.stream.open_streams import STREAM_RETRY, OpenStreams

pytestmark = pytest.mark.unit


class Clock:
    """Goes on when it is told to."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


class Quiet:
    """A stream that nothing happens on."""

    project_id = session_id = "any"

    def session_over(self, _ended_at: object) -> None:
        raise AssertionError

    def drain(self, _reconnect_by: object) -> None:
        raise AssertionError


def test_the_oldest_debt_is_how_late_all_are() -> None:
    """What was asked for later, or is given meanwhile, does not count."""
    clock = Clock()
    lateness = Lateness(clock)
    assert lateness.seconds == 0.0
    with lateness.owing("a"):
        clock.seconds += 2
        with lateness.owing("b"):
            clock.seconds += 1
            assert lateness.seconds == 3.0
    assert lateness.seconds == 0.0


def test_what_is_given_up_is_no_longer_owed() -> None:
    """An error ends a debt as an answer does."""
    lateness = Lateness(Clock())
    with pytest.raises(ValueError, match="given up"), lateness.owing("a"):
        raise ValueError("given up")
    assert lateness.seconds == 0.0


def test_what_one_project_is_owed_makes_no_other_wait() -> None:
    """Projects take turns: one that sends more than can be heard is late alone, two of them make all late."""
    clock = Clock()
    lateness = Lateness(clock)
    with lateness.owing("flood"):
        clock.seconds += 5
        with lateness.owing("flood"), lateness.owing("honest"):
            clock.seconds += 1
            told = {project: lateness.seconds_for(project) for project in ("flood", "honest", "new")}
            assert told == {"flood": 6.0, "honest": 1.0, "new": 1.0}
        assert lateness.seconds_for("new") == 0.0


@pytest.mark.parametrize(
    ("lateness", "has_time"),
    [
        ([0.0, 1.99], [True, True]),
        ([2.0], [False]),
        ([2.0, 1.0, 0.5], [False, False, False]),
        ([2.0, 0.49, 1.99], [False, True, True]),
    ],
)
def test_once_late_a_process_catches_up_before_it_takes_more(lateness: list[float], has_time: list[bool]) -> None:
    """Busy from the bound on, and until a quarter of it."""
    told = iter(lateness)
    admission = Admission(lambda _: next(told), bound=2.0)
    assert [admission.has_time("any") for _ in lateness] == has_time


def test_a_busy_replica_refuses_streams_and_keeps_those_it_has() -> None:
    """The refusal says why, and when to try again; with time again the next one is taken."""
    time = [True]
    streams = OpenStreams(most=3, has_time=lambda _: time[0])
    with streams.opened(Quiet()):
        time[0] = False
        with pytest.raises(LimitReached) as refused, streams.opened(Quiet()):
            pass
        assert (refused.value.reason, refused.value.retry_after) == ("REPLICA_BUSY", STREAM_RETRY)
        assert len(streams) == 1
        time[0] = True
        with streams.opened(Quiet()):
            assert len(streams) == 2

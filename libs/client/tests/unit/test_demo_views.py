"""What the demo shows, as lines and as a screen."""

import contextlib
import io
from datetime import UTC, datetime

import pytest
from cortex_client.demo.measure import Report, SpeakerReport
from cortex_client.demo.plain import PlainView
from cortex_client.demo.screen import KEPT_LINES, ScreenView
from cortex_client.demo.view import Outcome, Programme, View, short_subject
from cortex_client.demo.words import WordErrors
from cortex_client.events import Place, ReceivedEvent
from rich.console import Console

pytestmark = pytest.mark.unit

PROGRAMME = Programme("The meeting", {"ada": "Ada", "ben": "Ben"}, seconds=60, speed=1)
EVENT = ReceivedEvent(
    id="1",
    type="message.created",
    source="cortex.session",
    subject="session:0190-aaaa-123456",
    time=datetime(2026, 11, 21, tzinfo=UTC),
    project_id="p",
    place=Place(1, 1),
    data=b"",
    channel="cortex.v1.p.session.s.message.created",
)
OUTCOME = Outcome(Report([SpeakerReport("ada", 1, WordErrors(1, 4), [0.7])]), endpoint_s=0.5, events=1)


@pytest.fixture
def out() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def screen(out: io.StringIO) -> ScreenView:
    return ScreenView(PROGRAMME, Console(file=out, force_terminal=True, width=120, height=24, color_system=None))


def play(view: View) -> None:
    with view:
        view.step("PostgreSQL")
        view.begins()
        view.saying("ada", "Good mor", 4)
        view.said("ada", "Good morning.")
        view.noted("Ben joined")
        view.received(EVENT)
        view.ends(OUTCOME)


def last_picture(out: io.StringIO) -> str:
    return out.getvalue().rpartition("The meeting")[2]


def test_lines_tell_everything_in_its_order(out: io.StringIO) -> None:
    """Without a terminal each thing that happens is a line."""
    play(PlainView(PROGRAMME, out))
    told = [line.partition(" s  ")[2] for line in out.getvalue().splitlines()]
    assert told == [
        "PostgreSQL",
        "The meeting: 60 s, Ada, Ben",
        "Ada … Good mor",
        "Ada: Good morning.",
        "[Ben joined]",
        "    event message.created session …123456",
        "1 events received on JetStream",
        "500 ms of each delay are the silence that ends an utterance",
        "Ada: 1 messages, 4 words, word error rate 0.25, delay mean 700 ms, p95 700 ms",
    ]


def test_a_final_takes_the_place_of_the_interim(out: io.StringIO, screen: ScreenView) -> None:
    """On the screen nobody is still saying what has become a message."""
    play(screen)
    picture = last_picture(out)
    assert "Good morning." in picture
    assert "Good mor …" not in picture


def test_the_screen_has_both_columns_and_a_table(out: io.StringIO, screen: ScreenView) -> None:
    """Messages and events stand beside each other; a table follows."""
    play(screen)
    picture = last_picture(out)
    assert "1 events on JetStream" in picture
    assert "message.created       session …123456" in picture
    assert "word error rate" in picture


def test_a_long_meeting_keeps_the_newest_in_view(out: io.StringIO, screen: ScreenView) -> None:
    """What does not fit goes at the top, and is not kept."""
    with screen:
        screen.begins()
        for number in range(2 * KEPT_LINES):
            screen.said("ada", f"line {number}.")
    picture = last_picture(out)
    assert f"line {2 * KEPT_LINES - 1}." in picture
    assert "line 0." not in picture
    assert len(screen._said) == KEPT_LINES


def test_an_error_gives_the_terminal_back(out: io.StringIO, screen: ScreenView) -> None:
    """However the demo ends, the cursor is shown again."""
    with contextlib.suppress(KeyboardInterrupt), screen:
        screen.begins()
        raise KeyboardInterrupt
    assert out.getvalue().rpartition("\x1b[?25h")[1]


def test_an_id_is_told_by_its_end() -> None:
    """The beginning of a UUIDv7 is the time, the same for everything that is made at once."""
    assert short_subject(EVENT) == "session …123456"

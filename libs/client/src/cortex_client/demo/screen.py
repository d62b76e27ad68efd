"""The demo on a terminal: what is said on the left, events as an outside consumer sees them on the right."""

import time
from collections.abc import Iterator
from typing import Self

from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.layout import Layout
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from cortex_client.demo.measure import SpeakerReport, percentile
from cortex_client.demo.view import Outcome, Programme, milliseconds, short_subject
from cortex_client.events import ReceivedEvent

COLOURS = ("cyan", "magenta", "yellow", "green", "blue")
EVENT_COLOURS = {"message": "bold", "utterance": "green", "speaker": "blue", "participant": "blue", "session": "yellow"}

# Smooth to the eye, and a small part of a core.
FRAMES_A_SECOND = 8
# Tall enough for a conversation; a whole large screen would tear the eye from one column to the other.
TALLEST = 36
# As wide as the longest type and a short subject.
EVENTS_WIDTH = 49
# What is further back has scrolled away on any screen.
KEPT_LINES = 80


class Tail:
    """The end of something that is longer than its place."""

    def __init__(self, content: RenderableType) -> None:
        self._content = content

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        lines = console.render_lines(self._content, options.update(height=None), pad=True)
        for line in lines[-(options.height or len(lines)) :]:
            yield from line
            yield Segment.line()


class Bounded:
    """A layout as tall as the terminal, but not taller than it is good to look at."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        yield from console.render(self._layout, options.update(height=min(options.max_height, TALLEST)))


class ScreenView:
    """A live screen during the meeting, lines before it, a table after it."""

    def __init__(self, programme: Programme, console: Console) -> None:
        self._programme = programme
        self._console = console
        self._since = time.monotonic()
        self._live: Live | None = None
        self._said: list[Text] = []
        self._saying: dict[str, Text] = {}
        self._events: list[Text] = []
        self._received = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def step(self, what: str) -> None:
        """A step of the set-up is done."""
        self._console.print(f"[green]✓[/] {what} [dim]{time.monotonic() - self._since:.1f} s[/]", highlight=False)

    def begins(self) -> None:
        """The meeting begins."""
        self._since = time.monotonic()
        self._live = Live(get_renderable=self._screen, console=self._console, refresh_per_second=FRAMES_A_SECOND)
        self._live.start()

    def saying(self, user_id: str, text: str, stable: int) -> None:
        """Somebody speaks; this is their text so far. What may still change is dim."""
        self._saying[user_id] = Text.assemble((text[:stable], "italic"), (f"{text[stable:]} …", "dim italic"))

    def said(self, user_id: str, text: str) -> None:
        """A message became readable, and takes the place of what its speaker was saying."""
        self._saying.pop(user_id, None)
        self._keep(self._said, self._speech(user_id, Text(text)))

    def noted(self, text: str) -> None:
        """A note of the system became readable."""
        self._keep(self._said, Text(text, "dim"))

    def received(self, event: ReceivedEvent) -> None:
        """An outside consumer received an event."""
        self._received += 1
        colour = EVENT_COLOURS.get(event.type.partition(".")[0], "")
        when = f"{time.monotonic() - self._since:5.1f} "
        line = Text.assemble((when, "dim"), (f"{event.type:<21} ", colour), (short_subject(event), "dim"))
        line.no_wrap, line.overflow = True, "ellipsis"
        self._keep(self._events, line)

    def ends(self, outcome: Outcome) -> None:
        """The meeting is over: the last picture stays, and a table says how it went."""
        self._saying.clear()
        self._close()
        self._console.print(self._table(outcome))
        if outcome.endpoint_s is not None:
            silence = milliseconds(outcome.endpoint_s)
            self._console.print(f"[dim]{silence} of each delay are the silence that ends an utterance[/]")

    def _close(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _keep(self, lines: list[Text], line: Text) -> None:
        lines.append(line)
        del lines[:-KEPT_LINES]

    def _screen(self) -> RenderableType:
        layout = Layout()
        layout.split_column(Layout(self._header(), size=3), Layout(name="body"))
        layout["body"].split_row(
            Layout(self._conversation()),
            Layout(
                Panel(Tail(Group(*self._events)), title=f"{self._received} events on JetStream"),
                size=min(EVENTS_WIDTH, self._console.width * 4 // 9),
            ),
        )
        return Bounded(layout)

    def _header(self) -> RenderableType:
        programme = self._programme
        passed = time.monotonic() - self._since
        row = Table.grid(expand=True, padding=(0, 1))
        row.add_column(no_wrap=True)
        row.add_column(ratio=1)
        row.add_column(justify="right", no_wrap=True)
        speed = "" if programme.speed == 1 else f" at {programme.speed:g} times the speed"
        bar = ProgressBar(total=programme.seconds, completed=min(passed, programme.seconds))
        row.add_row(Text(f"{programme.title}{speed}", "bold"), bar, f"{int(passed // 60)}:{int(passed % 60):02}")
        return Panel(row)

    def _conversation(self) -> RenderableType:
        saying = [self._speech(user_id, text) for user_id, text in list(self._saying.items())]
        return Panel(Tail(Group(*self._said, *saying)), title="messages")

    def _speech(self, user_id: str, text: Text) -> Text:
        name = self._programme.names.get(user_id, user_id)
        return Text.assemble((f"{name}  ", f"bold {self._colour(user_id)}"), text)

    def _colour(self, user_id: str) -> str:
        speakers = list(self._programme.names)
        return COLOURS[speakers.index(user_id) % len(COLOURS)] if user_id in speakers else "white"

    def _table(self, outcome: Outcome) -> Table:
        table = Table(title="how it was heard", title_justify="left")
        for heading in ("speaker", "messages", "words", "word error rate", "delay mean", "delay p95"):
            table.add_column(heading, justify="left" if heading == "speaker" else "right")
        for speaker in outcome.report.speakers:
            table.add_row(*self._row(speaker))
        return table

    def _row(self, speaker: SpeakerReport) -> tuple[RenderableType, ...]:
        name = self._programme.names.get(speaker.user_id, speaker.user_id)
        p95 = milliseconds(percentile(speaker.delays, 0.95)) if speaker.delays else "-"
        counts = (str(speaker.messages), str(speaker.errors.words), f"{speaker.errors.rate:.2f}")
        return (Text(name, self._colour(speaker.user_id)), *counts, milliseconds(speaker.delays), p95)

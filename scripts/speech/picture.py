"""The tables as a picture: for each condition a bar for the bare recogniser and one for the service."""

from collections.abc import Iterator, Sequence
from html import escape

from scripts.speech.measuring import Row
from scripts.speech.results import Results

WIDTH, LABELS, LINE, BAR, TOP = 460, 180, 30, 10, 64
BARE, SERVICE, INK, FAINT = "#94a3b8", "#2563eb", "#0f172a", "#e2e8f0"
FULL = 30.0
"""Word error rate, in percent, at the right edge; every row that is meant to work lies below."""


def svg(results: Results) -> str:
    """The picture, one panel beside the other."""
    height = TOP + LINE * max(len(source.rows) for source in results.sources) + 20
    whole = WIDTH * len(results.sources)
    panels = [
        line
        for at, source in enumerate(results.sources)
        for line in _panel(at * WIDTH, source.name, source.rows, height)
    ]
    size, font = f'viewBox="0 0 {whole} {height}"', 'font-family="ui-sans-serif,system-ui,sans-serif"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} {font} font-size="12">',
            f"<title>Word error rate of {escape(results.model)}, bare and through the service</title>",
            f'<rect width="{whole}" height="{height}" fill="#ffffff"/>',
            *panels,
            "</svg>\n",
        ]
    )


def _panel(left: int, name: str, rows: Sequence[Row], height: int) -> Iterator[str]:
    yield _text(left + 14, 22, name, weight=700)
    for place, colour, legend in ((LABELS, BARE, "bare recogniser"), (LABELS + 130, SERVICE, "service")):
        yield f'<rect x="{left + place}" y="13" width="10" height="10" fill="{colour}"/>'
        yield _text(left + place + 15, 22, legend)
    for percent in range(0, int(FULL) + 1, 10):
        x = left + LABELS + _length(percent)
        yield f'<path d="M{x:.1f} {TOP - 12}V{height - 12}" stroke="{FAINT}"/>'
        yield _text(x, TOP - 17, f"{percent} %", anchor="middle")
    for at, row in enumerate(rows):
        yield from _bars(left, TOP + at * LINE, row)


def _bars(left: int, y: int, row: Row) -> Iterator[str]:
    yield _text(left + LABELS - 8, y + 14, row.condition, anchor="end")
    for offset, colour, errors in ((0, BARE, row.bare), (BAR, SERVICE, row.service)):
        percent = 100 * errors.rate
        length = _length(min(percent, FULL))
        yield (f'<rect x="{left + LABELS}" y="{y + offset}" width="{length:.1f}" height="{BAR - 1}" fill="{colour}"/>')
        yield _text(left + LABELS + length + 4, y + offset + 8, f"{percent:.1f}", size=9)


def _length(percent: float) -> float:
    return percent / FULL * (WIDTH - LABELS - 50)


def _text(x: float, y: float, text: str, *, anchor: str = "start", weight: int = 400, size: int = 12) -> str:
    style = f'text-anchor="{anchor}" font-weight="{weight}" font-size="{size}" fill="{INK}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {style}>{escape(text)}</text>'

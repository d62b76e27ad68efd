"""A transcript as text, subtitles (SRT, WebVTT) and JSON.

SRT has no standard: this is what SubRip writes. WebVTT is that of the W3C, whose cue text escapes `&`, `<` and `>`.
"""

import json
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final

from cortex_cli.transcript import Transcript, Utterance, Word

MS, MS_PER_MINUTE, MS_PER_HOUR = 1_000, 60_000, 3_600_000
CONFIDENCE_DIGITS: Final = 4


class Format(StrEnum):
    """How a transcript is written; also the ending of its file."""

    TEXT = "text"
    SRT = "srt"
    VTT = "vtt"
    JSON = "json"


ENDINGS: Final = {Format.TEXT: ".txt", Format.SRT: ".srt", Format.VTT: ".vtt", Format.JSON: ".json"}


def written(transcript: Transcript, form: Format) -> str:
    """The transcript in this format, with a line's end at its end."""
    return _WRITERS[form](transcript)


def text(transcript: Transcript) -> str:
    """A line for each utterance."""
    return "".join(f"{utterance.text}\n" for utterance in transcript.utterances)


def srt(transcript: Transcript) -> str:
    """SubRip subtitles."""
    cues = (
        f"{number}\n{_span(utterance, ',')}\n{_one_line(utterance.text)}\n"
        for number, utterance in enumerate(transcript.utterances, start=1)
    )
    return "\n".join(cues)


def vtt(transcript: Transcript) -> str:
    """WebVTT subtitles."""
    cues = (f"\n{_span(utterance, '.')}\n{_escaped(utterance.text)}\n" for utterance in transcript.utterances)
    return "WEBVTT\n" + "".join(cues)


def json_line(transcript: Transcript) -> str:
    """One object on one line."""
    return _line(
        {
            "file": transcript.file,
            "duration": round(transcript.duration, 3),
            "text": transcript.text,
            "utterances": [_utterance(utterance) for utterance in transcript.utterances],
        }
    )


def _utterance(utterance: Utterance) -> dict[str, object]:
    """`words` are left out where the model tells no times."""
    said: dict[str, object] = {
        "start": round(utterance.start, 3),
        "end": round(utterance.end, 3),
        "text": utterance.text,
        "confidence": round(utterance.confidence, CONFIDENCE_DIGITS),
    }
    if utterance.words:
        said["words"] = [_word(word) for word in utterance.words]
    return said


def _word(word: Word) -> dict[str, object]:
    return {
        "start": round(word.start, 3),
        "text": word.text,
        "confidence": round(word.confidence, CONFIDENCE_DIGITS),
    }


def _line(value: Mapping[str, object]) -> str:
    return json.dumps(value, ensure_ascii=False) + "\n"


_WRITERS: Final[Mapping[Format, Callable[[Transcript], str]]] = {
    Format.TEXT: text,
    Format.SRT: srt,
    Format.VTT: vtt,
    Format.JSON: json_line,
}


def _span(utterance: Utterance, point: str) -> str:
    return f"{_time(utterance.start, point)} --> {_time(utterance.end, point)}"


def _time(seconds: float, point: str) -> str:
    ms = round(seconds * MS)
    hours, minutes, rest = ms // MS_PER_HOUR, ms % MS_PER_HOUR // MS_PER_MINUTE, ms % MS_PER_MINUTE
    return f"{hours:02}:{minutes:02}:{rest // MS:02}{point}{rest % MS:03}"


def _one_line(said: str) -> str:
    """An empty line would end the cue."""
    return " ".join(said.split())


def _escaped(said: str) -> str:
    return _one_line(said).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

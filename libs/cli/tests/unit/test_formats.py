"""Transcripts as text, subtitles and JSON, character by character."""

import json

import pytest
from cortex_cli.formats import Format, written
from cortex_cli.transcript import Transcript, Utterance, Word

pytestmark = pytest.mark.unit

MEETING = Transcript(
    "a/meeting.wav",
    3725.1,
    (
        Utterance(0.08, 2.1, "Good morning, everyone.", 0.98765),
        Utterance(3661.9996, 3724.5, "Is 3 < 4 & 5 > 4?\n\nJa, natürlich --> so.", 0.5),
    ),
)

TEXT = "Good morning, everyone.\nIs 3 < 4 & 5 > 4?\n\nJa, natürlich --> so.\n"

SRT = """1
00:00:00,080 --> 00:00:02,100
Good morning, everyone.

2
01:01:02,000 --> 01:02:04,500
Is 3 < 4 & 5 > 4? Ja, natürlich --> so.
"""

VTT = """WEBVTT

00:00:00.080 --> 00:00:02.100
Good morning, everyone.

01:01:02.000 --> 01:02:04.500
Is 3 &lt; 4 &amp; 5 &gt; 4? Ja, natürlich --&gt; so.
"""

JSON = (
    '{"file": "a/meeting.wav", "duration": 3725.1, "text": '
    '"Good morning, everyone. Is 3 < 4 & 5 > 4?\\n\\nJa, natürlich --> so.", "utterances": '
    '[{"start": 0.08, "end": 2.1, "text": "Good morning, everyone.", "confidence": 0.9877}, '
    '{"start": 3662.0, "end": 3724.5, "text": "Is 3 < 4 & 5 > 4?\\n\\nJa, natürlich --> so.", "confidence": 0.5}]}\n'
)


@pytest.mark.parametrize(
    ("form", "golden"), [(Format.TEXT, TEXT), (Format.SRT, SRT), (Format.VTT, VTT), (Format.JSON, JSON)]
)
def test_formats_are_exact(form: Format, golden: str) -> None:
    """Each format is what its readers expect, to the last character."""
    assert written(MEETING, form) == golden


@pytest.mark.parametrize(
    ("form", "golden"),
    [
        (Format.TEXT, ""),
        (Format.SRT, ""),
        (Format.VTT, "WEBVTT\n"),
        (Format.JSON, '{"file": "s.wav", "duration": 2.0, "text": "", "utterances": []}\n'),
    ],
)
def test_silence_has_a_transcript(form: Format, golden: str) -> None:
    """Where nobody spoke the output is empty and valid."""
    assert written(Transcript("s.wav", 2.0, ()), form) == golden


def test_json_is_one_object_a_line() -> None:
    """Whatever is said, a line's end is the end of the object."""
    line = written(MEETING, Format.JSON)
    assert line.count("\n") == 1
    assert json.loads(line)["utterances"][1]["text"] == MEETING.utterances[1].text


def test_json_has_the_times_of_words_where_there_are_any() -> None:
    """A model that tells when a word began has it told; other formats show the text alone."""
    words = (Word(0.08, "Good", 0.99999), Word(0.51239, "morning.", 0.5))
    transcript = Transcript("m.wav", 2.0, (Utterance(0.08, 2.0, "Good morning.", 0.7, words),))
    assert json.loads(written(transcript, Format.JSON))["utterances"][0]["words"] == [
        {"start": 0.08, "text": "Good", "confidence": 1.0},
        {"start": 0.512, "text": "morning.", "confidence": 0.5},
    ]
    assert written(transcript, Format.TEXT) == "Good morning.\n"

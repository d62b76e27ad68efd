"""Whether what a model wrote was said at all: models make words of noise, tones and clicks.

Neither the model's confidence nor the voice detector tells speech from the rest alone, so both have a say.
Measured with Silero VAD 6 and Moonshine Tiny, segments as this service cuts them (highest probability / confidence):

- sentences and single words of three rendered voices, clean or in noise at 20 dB: never below 0.99 / 0.40;
  in noise at 10 dB: 0.96 / 0.20; at 5 dB, where most words are wrong: 0.91 / 0.22;
- noise, tones, chords, melodies, clicks, knocks, coughs, rings: the detector passes nothing of 200 ms or more;
- isolated vowels, laughter of vowels, a buzz that pulsates four times a second: 0.46 to 0.97 / 0.16 to 0.76.
"""

from typing import Final

from cortex_transcriber.speech.recogniser import Recognised
from cortex_transcriber.speech.segmenting import SpeechStats

DETECTOR_IN_DOUBT: Final = 0.9
"""Highest probability of a segment below which nobody spoke, whatever the model says."""

DETECTOR_SURE: Final = 0.99
"""Highest probability from which somebody spoke; in between the model decides."""

MODEL_SURE: Final = 0.6
"""Confidence that settles a doubt of the detector."""

MODEL_LOST: Final = 0.15
"""Confidence below which words are guesses, even of speech."""

REPEATED: Final = 3
"""How often in a row a phrase stands in a text that ran into the model's cap when the model was caught in a loop."""

LONGEST_PHRASE: Final = 6
"""Words of the longest phrase that is looked for."""


def was_said(heard: Recognised, stats: SpeechStats) -> bool:
    """Whether the text is to be believed, given what the voice detector thought of the same audio."""
    if not any(letter.isalnum() for letter in heard.text):
        return False
    if stats.highest < DETECTOR_IN_DOUBT or heard.confidence < MODEL_LOST:
        return False
    if stats.highest < DETECTOR_SURE and (heard.truncated or heard.confidence < MODEL_SURE):
        return False
    return not (heard.truncated and repeats_itself(heard.text))


def repeats_itself(text: str) -> bool:
    """Whether some phrase stands in the text several times in a row."""
    words = [word.strip(".,!?") for word in text.lower().split()]
    return any(_repeats(words, length) for length in range(1, LONGEST_PHRASE + 1))


def _repeats(words: list[str], length: int) -> bool:
    phrases = [words[at : at + length] for at in range(len(words) - length + 1)]
    run = [1] * len(phrases)
    for at in range(length, len(phrases)):
        if phrases[at] == phrases[at - length]:
            run[at] = run[at - length] + 1
    return bool(phrases) and max(run) >= REPEATED

import pytest
from cortex_transcriber.speech.plausibility import repeats_itself, was_said
from cortex_transcriber.speech.recogniser import Recognised
from cortex_transcriber.speech.segmenting import SpeechStats

pytestmark = pytest.mark.unit


def said(text: str = "Hello there.", confidence: float = 0.8, highest: float = 1.0, truncated: bool = False) -> bool:
    """Whether a text is believed; what is not named is that of clear speech."""
    heard = Recognised(text, confidence, len(text.split()), "en", "m", truncated)
    return was_said(heard, SpeechStats(mean=0.9 * highest, highest=highest, speech_ms=500))


def test_clear_speech_is_believed() -> None:
    """Short words and low confidence are no reason against it."""
    assert said("Yes.")
    assert said("Thank you.", confidence=0.4)
    assert said("Yeah, yeah, yeah.")


@pytest.mark.parametrize("text", ["", "♪ ♪", "♪", "...", " - "])
def test_a_text_without_words_was_not_said(text: str) -> None:
    """Music signs and punctuation are what a model writes for sounds."""
    assert not said(text)


def test_what_the_detector_doubts_was_not_said() -> None:
    """A confident "You" over something that the detector barely took for speech is noise."""
    assert not said("You", confidence=0.76, highest=0.79)


def test_what_both_doubt_was_not_said() -> None:
    """In between the model decides, and its cap counts as doubt."""
    assert said("Thanks.", confidence=0.7, highest=0.96)
    assert not said("Yeah, yeah.", confidence=0.55, highest=0.97)
    assert not said("Yeah, yeah.", confidence=0.7, highest=0.97, truncated=True)


def test_a_guess_was_not_said() -> None:
    """Words that the model itself gives no chance are worse than none."""
    assert not said(confidence=0.1)


def test_a_loop_was_not_said() -> None:
    """A text that ran into the cap and repeats a phrase comes from a decoder that could not stop."""
    assert not said("I am going to go to go to go to", truncated=True)
    assert said("I am going to the shop to", truncated=True)


@pytest.mark.parametrize(
    ("text", "repeats"),
    [
        ("no no no", True),
        ("No, no. NO!", True),
        ("thank you for watching thank you for watching thank you for watching", True),
        ("it was the best of times it was the worst of times it was the age of wisdom", False),
        ("no no", False),
        ("", False),
    ],
)
def test_phrases_in_a_row_are_found(text: str, repeats: bool) -> None:
    """Whatever their length; a phrase that comes back between other words is rhetoric."""
    assert repeats_itself(text) is repeats

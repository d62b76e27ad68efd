"""What the demo measures."""

import pytest
from cortex_client.demo.measure import Heard, Line, Report, SentFrames, SpeakerReport, last_line, measure, percentile
from cortex_client.demo.words import WordErrors, normal, word_errors

pytestmark = pytest.mark.unit

FRAME_S = 0.02
LINES = [Line("ada", "Good morning.", 1.0, 2.0), Line("ada", "Let us begin.", 4.0, 5.0), Line("ben", "Fine.", 2.0, 3.0)]


def sent(frames: int, late_by: float = 0.0) -> SentFrames:
    """Frames handed over as they were captured, by a clock that began at 100."""
    log = SentFrames(FRAME_S)
    for sequence in range(frames):
        log.note(100 + sequence * FRAME_S + late_by)
    return log


def report_of(*heard: Heard) -> Report:
    return measure(LINES, heard, {"ada": sent(400), "ben": sent(400)})


class TestDelays:
    def test_it_counts_from_the_frame_with_the_last_sample_of_speech(self) -> None:
        """Speech that ends at 2.0 s ends in the frame that begins at 1.98 s."""
        report = report_of(Heard("ada", "Good morning.", 0.9, 2.1, arrived=102.48))
        assert report.delays == pytest.approx([0.5])

    def test_it_takes_the_time_of_sending_not_of_capture(self) -> None:
        """A feed that runs late is no fault of the services."""
        heard = Heard("ada", "Good morning.", 0.9, 2.1, arrived=103.48)
        assert measure(LINES, [heard], {"ada": sent(400, late_by=1.0)}).delays == pytest.approx([0.5])

    def test_a_message_over_two_lines_counts_from_the_end_of_the_second(self) -> None:
        """A pause shorter than the endpoint's silence does not end an utterance."""
        report = report_of(Heard("ada", "Good morning. Let us begin.", 0.9, 5.1, arrived=105.98))
        assert report.delays == pytest.approx([1.0])

    def test_a_message_that_ends_within_a_line_has_no_delay(self) -> None:
        """Nobody stopped speaking, so nothing can be said of the time since then."""
        assert report_of(Heard("ada", "Good", 0.9, 1.4, arrived=103.0)).delays == []

    def test_a_message_may_end_just_before_the_last_sample(self) -> None:
        """The detector may call the end of the last word silence."""
        assert len(report_of(Heard("ada", "Good morning.", 0.9, 1.8, arrived=103.0)).delays) == 1

    def test_percentiles_are_values_that_occurred(self) -> None:
        """Nearest rank: of twenty values the 95th percentile is the second largest."""
        assert percentile([float(n) for n in range(1, 21)], 0.95) == 19
        assert percentile([3.0], 0.95) == 3


class TestWords:
    def test_punctuation_case_and_digits_do_not_count(self) -> None:
        """The model writes what it likes; the words count."""
        assert normal("It’s 42, O.K.— twenty-one!") == normal("it's forty two o k twenty one")

    def test_words_charged_to_another_count_twice(self) -> None:
        """A message attributed to the wrong speaker is missing at one and too much at the other."""
        report = report_of(Heard("ben", "Good morning.", 0.9, 2.1, arrived=103.0))
        assert [speaker.errors for speaker in report.speakers] == [WordErrors(5, 5), WordErrors(2, 1)]

    def test_the_order_of_arrival_does_not_matter(self) -> None:
        """A long utterance may be finished after the short one that followed it."""
        late = Heard("ada", "Good morning.", 0.9, 2.1, arrived=109.0)
        early = Heard("ada", "Let us begin.", 3.9, 5.1, arrived=106.0)
        assert report_of(early, late).speakers[0].errors == WordErrors(0, 5)

    def test_the_rate_is_over_all_words(self) -> None:
        """A speaker who says little weighs little."""
        total = word_errors(["a b c"], ["a b c"]) + word_errors(["d"], ["e"])
        assert total.rate == 0.25


class TestTheLastLine:
    def test_it_says_how_it_went(self) -> None:
        """One line that a script can read."""
        report = Report([SpeakerReport("ada", 2, WordErrors(1, 20), [0.5, 0.7])])
        assert last_line(report, 1) == (
            "demo ok: 1 speakers, 2 messages, word error rate 0.05, p95 end of speech to message 700 ms"
        )

    def test_another_speed_is_marked(self) -> None:
        """A delay at four times the speed of life is no delay that anybody will see."""
        report = Report([SpeakerReport("ada", 2, WordErrors(1, 20), [0.5])])
        assert last_line(report, 4).endswith("500 ms (speed 4)")

    def test_too_many_errors_fail(self) -> None:
        """The bound is part of the demo."""
        report = Report([SpeakerReport("ada", 2, WordErrors(13, 100), [0.5])])
        assert last_line(report, 1).startswith("demo failed: ")

    def test_a_speaker_nobody_heard_fails(self) -> None:
        """Few words of many may be missing, a whole speaker may not."""
        heard = SpeakerReport("ada", 2, WordErrors(0, 100), [0.5])
        assert not Report([heard, SpeakerReport("ben", 0, WordErrors(1, 1), [])]).is_good

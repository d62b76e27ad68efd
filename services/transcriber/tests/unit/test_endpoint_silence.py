"""A stream says which silence ends an utterance on it."""

import asyncio
from datetime import timedelta

import pytest
from cortex.transcriber.v1 import transcriber_service_pb2 as pb
from cortex_eventing.errors import InvalidInput
from cortex_eventing.times import length_of, span
from cortex_transcriber.settings import SpeechSettings
from cortex_transcriber.speech.segmenting import Segmenting
from cortex_transcriber.stream.hearing import PAUSE
from cortex_transcriber.stream.opening import segmenting_of
from google.protobuf.duration_pb2 import Duration

from services.transcriber.tests.streaming import Stage, payloads, talk

pytestmark = pytest.mark.unit

USUAL, LONG = 500, 1_000
TALK = payloads(talk(7, (60, 60), (100, 150), (40, 40), (200, 60)))
"""Pauses of 1.2, 3, 0.8 and 1.2 seconds: the long silence passes over one of them."""


def silence(milliseconds: float) -> Duration:
    """As it is asked for."""
    return span(timedelta(milliseconds=milliseconds))


async def texts_with(milliseconds: int) -> list[str]:
    """What an uninterrupted stream with such an end of utterances stores."""
    stage = Stage()
    async with stage.bot(endpoint_silence=silence(milliseconds)) as bot:
        bot.join()
        await bot.until("peer_resolved")
        bot.hear(TALK)
        bot.say(end=pb.End())
        await bot.closed()
    return stage.speakers.texts


async def test_utterances_end_by_it() -> None:
    """Words with a shorter pause between them are one utterance; another stream of the process is cut as ever."""
    assert (len(await texts_with(LONG)), len(await texts_with(USUAL))) == (3, 4)


@pytest.mark.parametrize(("asked", "told"), [({}, USUAL), ({"endpoint_silence": silence(LONG)}, LONG)], ids=str)
async def test_the_stream_is_told_what_holds(asked: dict[str, Duration], told: int) -> None:
    """Whoever asks for nothing learns what the service is set to."""
    async with Stage().bot(**asked) as bot:
        opened = (await bot.until("opened"))[0].opened
    assert length_of(opened.endpoint_silence) == timedelta(milliseconds=told)


@pytest.mark.parametrize("cut", range(60, 700, 130))
async def test_who_asks_for_the_same_again_finds_the_same_cuts(cut: int) -> None:
    """Wherever the connection breaks, the texts are those of the uninterrupted stream."""
    stage = Stage()
    async with stage.bot(endpoint_silence=silence(LONG)) as bot:
        bot.join()
        await bot.until("peer_resolved")
        bot.hear(TALK[:cut])
        await stage.heard(cut)
        watermark = bot.acknowledged + 1
    async with stage.replica().bot(endpoint_silence=silence(LONG)) as bot:
        bot.join(resume_from=watermark)
        needed = (await bot.until("peer_resolved"))[0].peer_resolved.resume_from
        bot.hear(TALK[needed:], first=needed)
        bot.say(end=pb.End())
        await bot.closed()
    assert stage.speakers.texts == await texts_with(LONG)


async def test_a_pause_in_which_nothing_comes_is_no_shorter() -> None:
    """Where the end of an utterance takes longer than the patience with peers that send nothing, that is waited for."""
    stage, endpoint = Stage(), PAUSE + 2
    async with stage.bot(endpoint_silence=silence(endpoint * 1_000)) as bot:
        bot.join()
        await bot.until("peer_resolved")
        bot.hear(TALK[:40])
        await stage.heard(40)
        now = asyncio.get_running_loop().time()
        (peer,) = stage.hearing._attended
        stage.hearing.end_speech_of_silent(since=now + endpoint - PAUSE - 1)
        assert not peer.ready
        stage.hearing.end_speech_of_silent(since=now + endpoint - PAUSE + 1)
        assert peer.ready
        await bot.until("final")


@pytest.mark.parametrize(
    ("usual", "asked", "rule"),
    [
        (Segmenting(), 300.5, "whole milliseconds"),
        (Segmenting(end_padding_ms=400), 400, "500 to 5000 ms"),
        (Segmenting(max_utterance_ms=4_000), 2_000, "300 to 1900 ms"),
    ],
)
def test_what_does_not_go_with_the_service_is_refused(usual: Segmenting, asked: float, rule: str) -> None:
    """The range that the service's padding and longest utterance leave is named."""
    with pytest.raises(InvalidInput, match=rule) as refused:
        segmenting_of(pb.Open(endpoint_silence=silence(asked)), usual)
    assert refused.value.field == "open.endpoint_silence"


@pytest.mark.parametrize("usual", [Segmenting(), Segmenting(end_padding_ms=300, max_utterance_ms=3_000)])
def test_both_ends_of_the_range_are_taken(usual: Segmenting) -> None:
    """What is named as allowed is."""
    for milliseconds in usual.endpoints_ms:
        asked = pb.Open(endpoint_silence=silence(milliseconds))
        assert segmenting_of(asked, usual).endpoint_ms == milliseconds


def test_the_settings_of_the_process_cut_its_speech() -> None:
    """Each of them reaches the cutter, and what does not fit together is refused at the start."""
    settings = SpeechSettings(
        endpoint_ms=700, start_padding_ms=50, end_padding_ms=250, shortest_ms=90, longest_ms=9_000, interim_ms=0
    )
    assert settings.segmenting == Segmenting(
        endpoint_ms=700,
        start_padding_ms=50,
        end_padding_ms=250,
        min_speech_ms=90,
        max_utterance_ms=9_000,
        interim_ms=0,
    )
    assert SpeechSettings().segmenting == Segmenting()
    with pytest.raises(ValueError, match="end_padding_ms"):
        SpeechSettings(endpoint_ms=300, end_padding_ms=250)

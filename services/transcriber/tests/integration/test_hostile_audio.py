"""Audio that no honest voice server sends: told or borne, and never to the harm of others on the same stream."""

import gc
import random
from collections.abc import Sequence

import numpy as np
import pytest
from cortex.common.v1 import audio_pb2
from cortex.transcriber.v1 import transcriber_service_pb2 as pb
from cortex_testkit.refusals import refusal_of
from cortex_transcriber.speech.frames import AudioFormat, Encoding
from cortex_transcriber.speech.ring import LARGEST
from cortex_transcriber.speech.stream import SpeakerStream
from grpc import StatusCode

from services.transcriber.tests.formats import payloads_of
from services.transcriber.tests.integration.conftest import NewBot
from services.transcriber.tests.integration.rooms import Bot, Neighbours, written

pytestmark = pytest.mark.integration

GOOD, HOSTILE = 1, 2
PCM = written(audio_pb2.ENCODING_PCM_S16LE, 16_000)
STEREO = written(audio_pb2.ENCODING_PCM_S16LE, 44_100, channels=2)
FLOATS = written(audio_pb2.ENCODING_PCM_F32LE, 16_000)
MULAW = written(audio_pb2.ENCODING_MULAW, 8_000)
ALAW = written(audio_pb2.ENCODING_ALAW, 8_000, channels=2)
OPUS = written(audio_pb2.ENCODING_OPUS, 48_000)

FLOAT_FRAME = bytes(1_280)
NAN = np.float32("nan").tobytes()
INFINITY = np.float32("inf").tobytes()
TONE = (9_000 * np.sin(2 * np.pi * 300 * np.arange(96_000) / 48_000)).astype(np.int16)
PACKETS = payloads_of(TONE, 48_000, AudioFormat(48_000, 20, Encoding.OPUS))

Thrown = tuple[audio_pb2.AudioFormat, list[bytes], str]
"""A format, payloads that are none of it, and the field that is wrong."""


@pytest.fixture(scope="module")
def chance() -> random.Random:
    """Rubbish that is the same every time."""
    return random.Random(9)  # noqa: S311 - hides nothing


class Pair:
    """An honest and a hostile peer on one stream."""

    def __init__(self, bot: Bot, reading: Sequence[bytes]) -> None:
        self.bot = bot
        self._reading = list(reading)

    async def meet(self, project: str, session: str, audio: audio_pb2.AudioFormat) -> None:
        """Both join."""
        await self.bot.open(project, session)
        await self.bot.join(GOOD, "good")
        await self.bot.join(HOSTILE, "hostile", audio=audio)

    async def throw(self, payloads: Sequence[bytes], first: int = 0, silent_through: int | None = None) -> None:
        """What the hostile peer sends."""
        frames = pb.Frames(peer=HOSTILE, first_sequence=first, payloads=payloads, silent_through=silent_through)
        await self.bot.say(frames=frames)

    async def end(self) -> list[str]:
        """The good peer speaks, and everything ends well; the good peer's texts."""
        await self.bot.hear(self._reading, peer=GOOD)
        await self.bot.say(end=pb.End())
        await self.bot.closed()
        assert self.acknowledged(GOOD) == len(self._reading) - 1
        return [answer.final.text for answer in self.bot.of("final") if answer.final.peer == GOOD]

    def acknowledged(self, peer: int) -> int:
        """Up to where a peer's audio is accounted for."""
        through = [answer.acknowledged for answer in self.bot.of("acknowledged")]
        return max((each.through_sequence for each in through if each.peer == peer), default=-1)


@pytest.fixture
def pair(bot: Bot, reading: list[bytes]) -> Pair:
    """Two peers that are to be."""
    return Pair(bot, reading)


@pytest.fixture(scope="module")
def said() -> list[list[str]]:
    """The good peer's texts of every test, which are all the same."""
    return []


def agree(said: list[list[str]], texts: list[str]) -> None:
    """Whatever the other peer did, the good one was heard as in any other test."""
    assert texts
    said.append(texts)
    assert texts == said[0]


@pytest.mark.parametrize(
    "thrown",
    [
        (FLOATS, [FLOAT_FRAME, NAN + FLOAT_FRAME[4:]], "frames.payloads[1]"),
        (FLOATS, [FLOAT_FRAME[4:] + INFINITY], "frames.payloads[0]"),
        (FLOATS, [bytes(1_278)], "frames.payloads[0]"),
        (PCM, [bytes(641)], "frames.payloads[0]"),
        (STEREO, [bytes(3_526)], "frames.payloads[0]"),
        (MULAW, [bytes(161)], "frames.payloads[0]"),
        (ALAW, [bytes(160)], "frames.payloads[0]"),
        (OPUS, [b"\x78", b""], "frames.payloads[1]"),
        (OPUS, [b"\x70" + bytes(20)], "frames.payloads[0]"),
        (OPUS, [b"\x78" + bytes(30_000)], "frames.payloads[0]"),
        (OPUS, [b"\x78"] * 10_000, "frames.payloads"),
        (FLOATS, [FLOAT_FRAME] * 3_000, "frames.payloads"),
    ],
    ids=[
        "NaN",
        "infinity",
        "half a float",
        "half a sample",
        "one side of stereo",
        "a byte too many",
        "one side only",
        "no packet",
        "a packet of another length",
        "an endless packet",
        "10,000 packets at once",
        "a minute at once",
    ],
)
async def test_what_is_no_audio_is_refused(
    pair: Pair, project_session: tuple[str, str], said: list[list[str]], thrown: Thrown
) -> None:
    """The field is named, nothing of the message is taken, and the peer goes on from there."""
    audio, payloads, field = thrown
    await pair.meet(*project_session, audio)
    await pair.throw(payloads)
    refused = (await pair.bot.until("peer_refused"))[0].peer_refused
    assert (refused.peer, refused.removed) == (HOSTILE, False)
    assert f"{field} must" in refused.status.message
    await pair.throw([], silent_through=99)
    agree(said, await pair.end())
    assert pair.acknowledged(HOSTILE) == 99


def square() -> list[bytes]:
    """Ten seconds as loud as can be, 100 Hz."""
    wave = np.where(np.arange(160_000) % 160 < 80, 32_767, -32_768).astype("<i2").tobytes()
    return [wave[at : at + 640] for at in range(0, len(wave), 640)]


def cut_off(chance: random.Random) -> list[bytes]:
    """Packets that lost their end on the way."""
    return [packet[: chance.randint(1, len(packet))] for packet in PACKETS]


def rubbish(chance: random.Random) -> list[bytes]:
    """Bytes behind a first one that promises 20 ms."""
    return [bytes([chance.choice((0x78, 0x71, 0x48, 0xF8))]) + chance.randbytes(chance.randint(0, 80)) for _ in PACKETS]


@pytest.mark.parametrize("kind", ["square", "too loud", "cut-off packets", "rubbish packets", "noise as A-law"])
async def test_what_is_no_speech_is_borne(
    pair: Pair, project_session: tuple[str, str], said: list[list[str]], chance: random.Random, kind: str
) -> None:
    """It may be anything; it is accounted for to its end."""
    audio, payloads = {
        "square": (PCM, square()),
        "too loud": (FLOATS, [np.full(320, 3e38, dtype="<f4").tobytes()] * 100),
        "cut-off packets": (OPUS, cut_off(chance)),
        "rubbish packets": (OPUS, rubbish(chance)),
        "noise as A-law": (ALAW, [chance.randbytes(320) for _ in range(250)]),
    }[kind]
    await pair.meet(*project_session, audio)
    for at in range(0, len(payloads), 50):
        await pair.throw(payloads[at : at + 50], first=at)
    agree(said, await pair.end())
    assert not pair.bot.of("peer_refused")
    assert pair.acknowledged(HOSTILE) == len(payloads) - 1


@pytest.mark.parametrize("audio", [PCM, OPUS, STEREO], ids=["PCM", "Opus", "44.1 kHz"])
async def test_an_hour_of_silence_in_one_message_costs_nothing(
    pair: Pair, project_session: tuple[str, str], said: list[list[str]], audio: audio_pb2.AudioFormat
) -> None:
    """Nobody goes through it, and what comes after it is at its place."""
    hour = 3_600 * 50
    await pair.meet(*project_session, audio)
    await pair.throw([], silent_through=hour - 1)
    await pair.bot.when(lambda: pair.acknowledged(HOSTILE) > hour - 1_000)
    assert max(stream.nbytes for stream in streams()) < LARGEST // 4
    await pair.throw([], first=hour, silent_through=hour + 9)
    agree(said, await pair.end())
    assert pair.acknowledged(HOSTILE) == hour + 9


async def test_ten_thousand_frames_as_fast_as_they_go_are_heard(
    pair: Pair, project_session: tuple[str, str], said: list[list[str]]
) -> None:
    """The bot is slowed down, memory stays bounded, and the other peer is heard."""
    await pair.meet(*project_session, FLOATS)
    loud = (0.2 * np.random.default_rng(2).standard_normal(320)).astype("<f4").tobytes()
    for at in range(0, 10_000, 100):
        await pair.throw([loud] * 100, first=at)
        if at % 1_000 == 0:  # to look for them takes longer than to send a message
            assert max(stream.nbytes for stream in streams()) <= 2 * LARGEST
    agree(said, await pair.end())
    assert pair.acknowledged(HOSTILE) == 9_999


async def test_a_message_that_no_server_takes_ends_its_own_stream_only(
    new_bot: NewBot, project: str, around: Neighbours, said: list[list[str]], reading: list[bytes]
) -> None:
    """10,000 frames of PCM are more than a request may hold: the bot is told, and other bots notice nothing."""
    async with new_bot() as other, new_bot() as bot:
        await other.open(project, around.session(project))
        await other.join(GOOD, "good")
        await bot.open(project, around.session(project))
        await bot.join()
        await bot.say(frames=pb.Frames(peer=1, payloads=[bytes(640)] * 10_000))
        refusal = await refusal_of(bot.closed())
        assert (refusal.code, refusal.reason) == (StatusCode.INVALID_ARGUMENT, "REQUEST_TOO_LARGE")
        await other.hear(reading)
        await other.say(end=pb.End())
        await other.closed()
        agree(said, other.texts)


async def test_every_format_is_accounted_for(new_bot: NewBot, around: Neighbours, project: str) -> None:
    """What is sent in any format is acknowledged to its end, on one stream with the others."""
    sent = {
        1: (written(audio_pb2.ENCODING_PCM_S16LE, 24_000), AudioFormat(24_000, 20)),
        2: (STEREO, AudioFormat(44_100, 20, channels=2)),
        3: (FLOATS, AudioFormat(16_000, 20, Encoding.PCM_F32LE)),
        4: (MULAW, AudioFormat(8_000, 20, Encoding.MULAW)),
        5: (ALAW, AudioFormat(8_000, 20, Encoding.ALAW, channels=2)),
        6: (OPUS, AudioFormat(48_000, 20, Encoding.OPUS)),
        7: (written(audio_pb2.ENCODING_OPUS, 48_000, 2, 60), AudioFormat(48_000, 60, Encoding.OPUS, channels=2)),
    }
    counts = {}
    async with new_bot() as bot:
        await bot.open(project, around.session(project))
        for peer, (audio, known) in sent.items():
            await bot.join(peer, f"peer-{peer}", audio=audio)
            payloads = payloads_of(TONE, 48_000, known)
            counts[peer] = len(payloads) - 1
            await bot.hear(payloads, peer=peer)
        await bot.say(end=pb.End())
        await bot.closed()
        assert not bot.of("peer_refused")
        told = {answer.acknowledged.peer: answer.acknowledged.through_sequence for answer in bot.of("acknowledged")}
    assert told == counts


def streams() -> list[SpeakerStream]:
    """Every peer that this process listens to."""
    return [each for each in gc.get_objects() if isinstance(each, SpeakerStream)]

"""What a stream may not carry, and how its bot is told."""

import asyncio
import uuid
from collections.abc import Sequence
from typing import Any

import grpc
import pytest
from cortex.common.v1.audio_pb2 import ENCODING_PCM_S16LE, AudioFormat
from cortex.transcriber.v1 import transcriber_service_pb2 as pb
from cortex_eventing.times import stamp
from cortex_testkit.refusals import Refusal, refusal_of
from google.protobuf.duration_pb2 import Duration
from google.rpc import code_pb2, error_details_pb2

from services.transcriber.tests.integration.conftest import NewBot
from services.transcriber.tests.integration.rooms import ZERO, Bot, Neighbours

pytestmark = pytest.mark.integration

INVALID = grpc.StatusCode.INVALID_ARGUMENT
NOT_FOUND = grpc.StatusCode.NOT_FOUND
FRAME = bytes(640)


async def refused_by(bot: Bot, *messages: pb.StreamAudioRequest) -> Refusal:
    """What the stream ends with when these come first."""
    for message in messages:
        await bot.call.write(message)
    await bot.call.done_writing()
    return await refusal_of(bot.closed())


class WhenOpening:
    async def test_a_stream_that_says_nothing_is_refused(self, bot: Bot) -> None:
        """A stream needs an opening."""
        assert (await refused_by(bot)).code is INVALID

    @pytest.mark.parametrize(
        "message",
        [
            pb.StreamAudioRequest(end=pb.End()),
            pb.StreamAudioRequest(frames=pb.Frames(peer=1, payloads=[FRAME])),
            pb.StreamAudioRequest(),
        ],
        ids=["end", "frames", "nothing"],
    )
    async def test_the_first_message_is_the_opening(self, bot: Bot, message: pb.StreamAudioRequest) -> None:
        """Frames of a room that nobody named belong nowhere."""
        assert (await refused_by(bot, message)).code is INVALID

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"project_id": "x"}, "open.project_id"),
            ({"session_id": ""}, "open.session_id"),
            ({"default_format": AudioFormat(encoding=ENCODING_PCM_S16LE, sample_rate=22_050)}, "open.default_format"),
            (
                {
                    "default_format": AudioFormat(
                        encoding=ENCODING_PCM_S16LE, sample_rate=16_000, frame_duration=Duration(nanos=10_500_000)
                    )
                },
                "open.default_format.frame_duration",
            ),
            ({"endpoint_silence": Duration(nanos=299_000_000)}, "open.endpoint_silence"),
            ({"endpoint_silence": Duration(seconds=5, nanos=1_000_000)}, "open.endpoint_silence"),
            ({"endpoint_silence": Duration(nanos=300_500_000)}, "open.endpoint_silence"),
        ],
    )
    async def test_a_wrong_opening_names_the_field(
        self, bot: Bot, project: str, session: str, change: dict[str, Any], field: str
    ) -> None:
        """Whoever wrote the bot learns what to mend."""
        opening = pb.Open(**{"project_id": project, "session_id": session, **change})
        refusal = await refused_by(bot, pb.StreamAudioRequest(open=opening))
        assert refusal.code is INVALID
        assert any(named.startswith(field) for named in refusal.fields)

    async def test_an_unknown_session_is_not_found(self, bot: Bot, project: str) -> None:
        """Nobody hears a room that does not exist."""
        await bot.open(project, str(uuid.uuid4()))
        assert await refusal_of(bot.closed()) == Refusal(NOT_FOUND, "SESSION_NOT_FOUND", ("open.session_id",))

    async def test_another_project_s_session_is_not_found(self, bot: Bot, session: str) -> None:
        """It looks exactly like one that does not exist."""
        await bot.open(str(uuid.uuid4()), session)
        assert await refusal_of(bot.closed()) == Refusal(NOT_FOUND, "SESSION_NOT_FOUND", ("open.session_id",))

    async def test_an_ended_session_takes_no_audio(
        self, bot: Bot, around: Neighbours, project: str, session: str
    ) -> None:
        """The bot is told why, so that it does not try again."""
        around.end(session)
        await bot.open(project, session)
        refusal = await refusal_of(bot.closed())
        assert (refusal.code, refusal.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "SESSION_NOT_ACTIVE")

    async def test_a_second_opening_ends_the_stream(self, bot: Bot, project: str, session: str) -> None:
        """One stream carries one room."""
        await bot.open(project, session)
        await bot.until("opened")
        await bot.open(project, session)
        assert (await refusal_of(bot.closed())).fields == ("open",)


class WhenOpen:
    @pytest.mark.parametrize(
        ("message", "fields"),
        [
            ({"first_sequence": 0, "payloads": [b""]}, ["frames.payloads[0]"]),
            ({"first_sequence": 0, "payloads": [FRAME, bytes(639)]}, ["frames.payloads[1]"]),
            ({"first_sequence": 0, "payloads": [bytes(1_000_000)]}, ["frames.payloads[0]"]),
            ({"first_sequence": 0, "payloads": [bytes(320)]}, ["frames.payloads[0]"]),
            ({"first_sequence": 0, "payloads": [FRAME] * 101}, ["frames.payloads"]),
            ({"first_sequence": 0}, ["frames.payloads"]),
            ({"first_sequence": -5, "payloads": [FRAME]}, ["frames.first_sequence"]),
            ({"first_sequence": 2**62, "payloads": [FRAME]}, ["frames.first_sequence"]),
            ({"first_sequence": 10, "silent_through": 3}, ["frames.silent_through"]),
        ],
    )
    async def test_bad_frames_are_refused_and_the_next_ones_heard(
        self, bot: Bot, project_session: tuple[str, str], message: dict[str, Any], fields: Sequence[str]
    ) -> None:
        """The message is dropped, the field is named, the peer goes on."""
        await bot.open(*project_session)
        await bot.join()
        await bot.say(frames=pb.Frames(peer=1, **message))
        refused = (await bot.until("peer_refused"))[0].peer_refused
        assert (refused.removed, fields_of(refused)) == (False, fields)
        await bot.hear([FRAME] * 300)
        await bot.say(end=pb.End())
        await bot.closed()
        assert bot.acknowledged == 299

    async def test_a_number_that_stands_for_nobody_is_refused(self, bot: Bot, project: str, session: str) -> None:
        """Audio belongs to a peer, or to nobody."""
        await bot.open(project, session)
        await bot.say(frames=pb.Frames(peer=9, payloads=[FRAME]))
        await bot.say(peer_left=pb.PeerLeft(peer=8))
        refused = [answer.peer_refused for answer in await bot.until("peer_refused", 2)]
        assert [(each.peer, each.status.code) for each in refused] == [(9, code_pb2.NOT_FOUND), (8, code_pb2.NOT_FOUND)]

    async def test_a_peer_keeps_its_numbering(self, new_bot: NewBot, project: str, session: str) -> None:
        """The same number means the same moment on every stream."""
        async with new_bot() as bot:
            await bot.open(project, session)
            await bot.join()
        async with new_bot() as bot:
            await bot.open(project, session)
            joined = pb.PeerJoined(peer=1, peer_id="peer-1", user_id="ada", sequence_zero_at=stamp(ZERO))
            joined.format.CopyFrom(
                AudioFormat(encoding=ENCODING_PCM_S16LE, sample_rate=16_000, frame_duration=Duration(nanos=40_000_000))
            )
            await bot.say(peer_joined=joined)
            refused = (await bot.until("peer_refused"))[0].peer_refused
        assert refused.removed
        assert reason_of(refused) == "NUMBERING_CHANGED"

    async def test_bytes_that_are_no_message_end_the_stream(self, address: str, project: str, session: str) -> None:
        """What cannot be read cannot be heard."""
        opening = pb.StreamAudioRequest(open=pb.Open(project_id=project, session_id=session))
        async with grpc.aio.insecure_channel(address) as channel:
            call = channel.stream_stream("/cortex.transcriber.v1.TranscriberService/StreamAudio")()
            await call.write(opening.SerializeToString())
            await call.write(b"\xff\xff\xff")
            refusal = await refusal_of(drained(call))
        assert (refusal.code, refusal.reason) == (INVALID, "MALFORMED")

    async def test_ten_bad_bots_disturb_nobody(self, new_bot: NewBot, project_session: tuple[str, str]) -> None:
        """One peer's rubbish costs the others nothing."""
        async with new_bot() as good:
            await good.open(*project_session)
            await good.join()
            for peer in range(2, 12):
                await good.say(peer_joined=pb.PeerJoined(peer=peer))
                await good.say(frames=pb.Frames(peer=peer, payloads=[b"rubbish"]))
            await good.hear([FRAME] * 300)
            await good.say(end=pb.End())
            await good.closed()
        assert good.acknowledged == 299


async def drained(call: Any) -> None:  # noqa: ANN401 - a call without generated types
    """Read a call to its end."""
    async with asyncio.timeout(10):
        while await call.read() is not grpc.aio.EOF:
            pass


def fields_of(refused: pb.PeerRefused) -> list[str]:
    """The fields that BadRequest names."""
    bad = error_details_pb2.BadRequest()
    for detail in refused.status.details:
        detail.Unpack(bad)
    return [violation.field for violation in bad.field_violations]


def reason_of(refused: pb.PeerRefused) -> str:
    """The reason of ErrorInfo."""
    info = error_details_pb2.ErrorInfo()
    for detail in refused.status.details:
        detail.Unpack(info)
    return info.reason

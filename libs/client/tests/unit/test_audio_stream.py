"""A bot's stream over connections that break."""

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta

import grpc
import pytest
from cortex.common.v1.audio_pb2 import ENCODING_ALAW
from cortex.transcriber.v1 import transcriber_service_pb2 as pb
from cortex_client.audio_stream import AudioStream
from cortex_client.errors import SessionHasEnded, WrongState
from cortex_client.peer import Encoding, Peer, Speaker
from cortex_client.testing import Transcriber, broken
from cortex_testkit.waiting import eventually
from google.protobuf.any_pb2 import Any
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status

pytestmark = pytest.mark.unit

ADA = Speaker("peer-a", "ada", datetime(2026, 11, 21, tzinfo=UTC))
BEN = Speaker("peer-b", "ben", datetime(2026, 11, 21, tzinfo=UTC))


@pytest.fixture
def transcriber() -> Transcriber:
    return Transcriber()


def stream(transcriber: Transcriber) -> AudioStream:
    return AudioStream(transcriber, "project", "session")


async def test_everything_is_told_in_its_order(transcriber: Transcriber) -> None:
    """Open comes first, then each peer's joining, frames and leaving, and the end last."""
    async with stream(transcriber) as audio:
        ada = await audio.join(ADA)
        await ada.send(b"0", b"1")
        ada.leave()
    kinds = transcriber.last.kinds
    assert kinds[:2] == ["open", "peer_joined"]
    assert kinds[-2:] == ["peer_left", "end"]
    assert transcriber.last.sequences == [0, 1]


async def test_each_connection_asks_for_the_same_silence(transcriber: Transcriber) -> None:
    """Cuts repeat after a reconnect only if utterances end by what ended them before; nothing said is the service's."""
    async with AudioStream(transcriber, "project", "session", endpoint_silence=timedelta(seconds=1)) as audio:
        await audio.join(ADA)
        transcriber.last.break_off()
        await (await transcriber.connection(2)).until(lambda c: c.kinds[:1] == ["open"])
    asked = [connection.written[0].open.endpoint_silence.ToTimedelta() for connection in transcriber.connections]
    assert asked == [timedelta(seconds=1)] * 2
    async with stream(transcriber) as audio:
        await audio.join(ADA)
    assert not transcriber.last.written[0].open.HasField("endpoint_silence")


async def test_a_joined_peer_knows_who_it_is(transcriber: Transcriber) -> None:
    """Joining answers with the participant that the peer resolved to."""
    async with stream(transcriber) as audio:
        assert (await audio.join(ADA)).participant_id == "participant of ada"


async def test_a_speaker_s_format_is_told(transcriber: Transcriber) -> None:
    """Whatever the voice server gives the bot is passed on as it is."""
    telephone = Speaker(
        "peer-t", "tom", ADA.sequence_zero_at, 8_000, timedelta(milliseconds=30), Encoding.ALAW, channels=2
    )
    async with stream(transcriber) as audio:
        await audio.join(telephone)
        told = [message.peer_joined.format for message in transcriber.last.written if message.HasField("peer_joined")]
    assert [(each.encoding, each.sample_rate, each.channels) for each in told] == [(ENCODING_ALAW, 8_000, 2)]
    assert told[0].frame_duration.ToMilliseconds() == 30


async def test_silence_is_told(transcriber: Transcriber) -> None:
    """Before speech, between, and at the end: each pause is a number."""
    async with stream(transcriber) as audio:
        ada = await audio.join(ADA)
        await ada.silent(2)
        await ada.send(b"2")
        await ada.silent(3)
        ada.leave()
    said = [message.frames for message in transcriber.last.written if message.HasField("frames")]
    assert [frames.silent_through for frames in said if frames.HasField("silent_through")][-1] == 5
    assert min(frames.first_sequence for frames in said) == 0
    assert transcriber.last.sequences == [2]


async def test_lost_frames_leave_a_gap(transcriber: Transcriber) -> None:
    """Those after it keep their numbers; a loss that nothing follows keeps nobody waiting."""
    async with stream(transcriber) as audio:
        ada = await audio.join(ADA)
        await ada.send(b"0")
        ada.lost(2)
        await ada.send(b"3")
        ada.lost()
        assert ada.next_sequence == 5
        ada.leave()
    assert transcriber.last.sequences == [0, 3]


async def test_a_broken_connection_is_made_again_and_resent_from_the_watermark(transcriber: Transcriber) -> None:
    """What was acknowledged stays away; all the rest comes again, under the same numbers."""
    async with stream(transcriber) as audio:
        ada = await audio.join(ADA)
        await ada.send(b"0", b"1", b"2", b"3")
        await transcriber.last.until(lambda c: c.sequences == [0, 1, 2, 3])
        transcriber.last.acknowledge(1)
        transcriber.last.break_off()
        again = await transcriber.connection(2)
        await again.until(lambda c: c.sequences == [2, 3])
        assert again.written[1].peer_joined.resume_from == 2


async def test_a_server_that_needs_less_gets_less(transcriber: Transcriber) -> None:
    """The acknowledgement that the break swallowed is made up for by what the next server says."""
    async with stream(transcriber) as audio:
        ada = await audio.join(ADA)
        await ada.send(b"0", b"1", b"2")
        await transcriber.last.until(lambda c: c.sequences == [0, 1, 2])
        transcriber.resume_from = 2
        transcriber.last.break_off()
        again = await transcriber.connection(2)
        await again.until(lambda c: c.sequences == [2])


async def test_a_draining_server_is_left_for_another(transcriber: Transcriber) -> None:
    """After `draining` nothing more is written there; the next connection gets what is not acknowledged."""
    async with stream(transcriber) as audio:
        ada = await audio.join(ADA)
        first = transcriber.last
        first.answer(pb.StreamAudioResponse(draining=pb.Draining()))
        first.close()
        again = await transcriber.connection(2)
        await ada.send(b"0")
        await again.until(lambda c: c.sequences == [0])
        assert first.sequences == []


async def test_a_stream_that_breaks_while_it_ends_is_ended_on_the_next(transcriber: Transcriber) -> None:
    """The end counts only when a server closed in good order after it."""
    async with stream(transcriber) as audio:
        ada = await audio.join(ADA)
        transcriber.last.break_off()
        await ada.send(b"0")
        ada.leave()
    assert transcriber.last.sequences == [0]
    assert transcriber.last.kinds[-1] == "end"


async def test_a_sender_waits_when_too_much_is_unacknowledged(transcriber: Transcriber) -> None:
    """Memory is bounded: the frame that is too much is taken once there is room."""
    async with stream(transcriber) as audio:
        ada = await audio.join(ADA)
        ada.kept.limit = 2
        await ada.send(b"0", b"1")
        waiting = asyncio.create_task(ada.send(b"2"))
        await transcriber.last.until(lambda c: c.sequences == [0, 1])
        assert not waiting.done()
        transcriber.last.acknowledge(0)
        await asyncio.wait_for(waiting, 5)
        assert ada.next_sequence == 3


async def test_a_refusal_for_good_reaches_everybody(transcriber: Transcriber) -> None:
    """A session that is not active is no matter of waiting: senders and the end get a typed error."""
    async with contextlib.AsyncExitStack() as stack:
        audio = await stack.enter_async_context(stream(transcriber))
        ada = await audio.join(ADA)
        transcriber.last.break_off(broken(grpc.StatusCode.FAILED_PRECONDITION))
        with pytest.raises(WrongState):
            await send_for_ever(ada)
        with pytest.raises(WrongState):
            await stack.aclose()
    assert len(transcriber.connections) == 1


async def test_a_session_that_ends_is_told(transcriber: Transcriber) -> None:
    """What was heard so far is finished by the transcriber; whoever wants to send more gets a typed error."""
    async with contextlib.AsyncExitStack() as stack:
        audio = await stack.enter_async_context(stream(transcriber))
        ada = await audio.join(ADA)
        transcriber.last.answer(pb.StreamAudioResponse(session_over=pb.SessionOver()))
        transcriber.last.close()
        with pytest.raises(SessionHasEnded):
            await send_for_ever(ada)
        with pytest.raises(SessionHasEnded):
            await stack.aclose()
    assert len(transcriber.connections) == 1


async def test_a_refused_peer_harms_no_other(transcriber: Transcriber) -> None:
    """The refused one gets a typed error; the others' audio goes on."""
    async with stream(transcriber) as audio:
        ada, ben = await audio.join(ADA), await audio.join(BEN)
        transcriber.last.answer(pb.StreamAudioResponse(peer_refused=refusal(ada.number, 9, "SESSION_ENDED")))
        with pytest.raises(SessionHasEnded):
            await send_for_ever(ada)
        await ben.send(b"0")
        await transcriber.last.until(
            lambda c: any(r.HasField("frames") and r.frames.peer == ben.number for r in c.written)
        )


async def test_a_peer_whose_identity_is_away_is_introduced_again(transcriber: Transcriber) -> None:
    """A refusal that passes by itself is waited out, with the audio held meanwhile."""
    async with stream(transcriber) as audio:
        ada = await audio.join(ADA)
        await ada.send(b"0")
        transcriber.last.answer(pb.StreamAudioResponse(peer_refused=refusal(ada.number, 14, "IDENTITY_AWAY")))
        await transcriber.last.until(lambda c: c.kinds.count("peer_joined") == 2)
        await transcriber.last.until(lambda c: c.sequences.count(0) == 2)


async def test_leaving_with_an_error_ends_nothing(transcriber: Transcriber) -> None:
    """A bot that fails does not tell the transcriber that everything was sent."""
    audio = await stream(transcriber).__aenter__()
    await audio.join(ADA)
    await audio.__aexit__(RuntimeError, RuntimeError("the bot's own trouble"), None)
    assert "end" not in transcriber.last.kinds


async def send_for_ever(peer: Peer) -> None:
    async with asyncio.timeout(5):
        while True:
            await peer.send(b"0")
            await asyncio.sleep(0)


def refusal(peer: int, code: int, reason: str) -> pb.PeerRefused:
    detail = Any()
    detail.Pack(ErrorInfo(reason=reason, domain="cortex"))
    return pb.PeerRefused(peer=peer, removed=True, status=Status(code=code, message="no", details=[detail]))


async def test_a_bot_with_nothing_to_say_is_heard_from(
    transcriber: Transcriber, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It promises so when it opens, and sends heartbeats between its messages."""
    monkeypatch.setattr("cortex_client.audio_stream.HEARTBEAT", timedelta(milliseconds=1))
    async with stream(transcriber) as audio:
        await audio.join(ADA)
        await eventually(lambda: transcriber.last.kinds.count("heartbeat") > 1)
    assert transcriber.last.written[0].open.heartbeat.ToTimedelta() == timedelta(milliseconds=1)

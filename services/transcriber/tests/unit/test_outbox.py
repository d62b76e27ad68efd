"""The answers that wait for a bot that reads slowly."""

import asyncio
from datetime import timedelta

import pytest
from cortex.transcriber.v1.transcriber_service_pb2 import Acknowledged, FinalText, InterimText, StreamAudioResponse
from cortex_eventing.times import span
from cortex_transcriber.stream.outbox import Outbox

pytestmark = pytest.mark.unit


def acknowledged(through: int) -> StreamAudioResponse:
    """An answer that must arrive."""
    return StreamAudioResponse(acknowledged=Acknowledged(peer=1, through_sequence=through))


def interim(text: str, at: int = 0, peer: int = 1) -> StreamAudioResponse:
    """What a peer is saying, in an utterance that began then."""
    return StreamAudioResponse(interim=InterimText(peer=peer, text=text, start_offset=span(timedelta(seconds=at))))


def final(end: int) -> StreamAudioResponse:
    """What it said, up to then."""
    return StreamAudioResponse(final=FinalText(peer=1, end_offset=span(timedelta(seconds=end))))


async def read(outbox: Outbox) -> list[StreamAudioResponse]:
    """Everything that is sent after closing."""
    await outbox.close()
    return [answer async for answer in outbox]


async def test_answers_come_in_order_also_after_closing() -> None:
    """What was promised before the end is still told."""
    outbox = Outbox()
    for through in range(3):
        await outbox.put(acknowledged(through))
    assert await read(outbox) == [acknowledged(0), acknowledged(1), acknowledged(2)]


async def test_too_many_answers_hold_up_whoever_answers() -> None:
    """A bot that does not read is not read either."""
    outbox = Outbox(capacity=1)
    await outbox.put(acknowledged(0))
    second = asyncio.create_task(outbox.put(acknowledged(1)))
    await asyncio.sleep(0)
    assert not second.done()
    answers = aiter(outbox)
    assert await anext(answers) == acknowledged(0)
    await second
    assert await anext(answers) == acknowledged(1)


async def test_closing_lets_everybody_go() -> None:
    """Nobody waits for a bot that is gone."""
    outbox = Outbox(capacity=0)
    waiting = asyncio.create_task(outbox.put(acknowledged(0)))
    await asyncio.sleep(0)
    assert await read(outbox) == []
    await waiting


async def test_of_interim_texts_the_latest_of_each_peer_is_sent() -> None:
    """An old one tells nothing that a new one does not."""
    outbox = Outbox()
    await outbox.offer(interim("good"))
    await outbox.offer(interim("hello", peer=2))
    await outbox.offer(interim("good morning"))
    answers = aiter(outbox)
    assert [await anext(answers), await anext(answers)] == [interim("good morning"), interim("hello", peer=2)]


async def test_a_final_replaces_the_interim_texts_of_its_utterance() -> None:
    """And not those of the utterance that has begun since."""
    outbox = Outbox()
    await outbox.offer(interim("good", at=1))
    await outbox.put(final(end=2))
    await outbox.offer(interim("and", at=3))
    await outbox.put(final(end=2))
    answers = aiter(outbox)
    assert [await anext(answers) for _ in range(3)] == [final(2), final(2), interim("and", at=3)]

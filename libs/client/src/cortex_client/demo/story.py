"""The demo's story: a session, a bot that brings three speakers, a reader, and an outside consumer of events."""

import asyncio
import uuid
from collections.abc import Awaitable

from cortex_client.client import CortexClient
from cortex_client.demo.installation import Installation
from cortex_client.demo.measure import measure
from cortex_client.demo.meeting import Meeting
from cortex_client.demo.outside import OutsideConsumer
from cortex_client.demo.reader import Reader
from cortex_client.demo.room import Room
from cortex_client.demo.view import Outcome, View

# After the last word: recognition, storing, publishing, projecting. Many times what it takes.
SETTLES_WITHIN_S = 30.0


class DemoFailed(Exception):
    """Something that the demo shows did not happen."""


async def tell(running: Installation, meeting: Meeting, speed: float, view: View) -> Outcome:
    """Play the meeting to the services, and show and measure what comes out.

    Raises:
        DemoFailed: something did not come out at all.
        CallFailed: a service refused.
    """
    project_id = str(uuid.uuid4())
    async with CortexClient(running.addresses, project_id) as cortex:
        participants = await _register(cortex, meeting)
        session = (await cortex.create_session("demo-room", "cortex://demo", title=meeting.title)).session
        view.step("a session, and a participant for each speaker")
        room, reader = Room(meeting, speed), Reader(participants, view)
        outside = OutsideConsumer(running.nats_url, project_id, view)
        view.begins()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(reader.watch(cortex, session.id))
            consuming = tasks.create_task(outside.consume())
            plays_for = meeting.duration_ms / 1_000 / speed
            await _within("the meeting was not heard to its end", room.play(cortex, session.id), plays_for)
            await _within("not every utterance became a message", reader.until_read(room.finals))
            await cortex.stop_session(session.id)
            await _within("the watch did not say that the session is over", reader.over.wait())
            await _within("the end of the session did not reach the outside consumer", outside.ended.wait())
            consuming.cancel()
        await _compare_with_list(cortex, session.id, reader)
    report = measure(meeting.lines, reader.heard_since(room.began_at), room.sent)
    return Outcome(report, room.endpoint_s, outside.received)


async def _register(cortex: CortexClient, meeting: Meeting) -> dict[str, str]:
    """The user ids of the meeting's speakers, by participant."""
    created = {s.user_id: await cortex.create_participant(s.user_id, display_name=s.name) for s in meeting.speakers}
    return {answer.participant.id: user_id for user_id, answer in created.items()}


async def _within(failure: str, happening: Awaitable[object], lasts: float = 0.0) -> None:
    """Wait for something that takes a known time by itself, and a little more."""
    seconds = lasts + SETTLES_WITHIN_S
    try:
        async with asyncio.timeout(seconds):
            await happening
    except TimeoutError:
        raise DemoFailed(f"{failure} within {seconds:.0f} s") from None


async def _compare_with_list(cortex: CortexClient, session_id: str, reader: Reader) -> None:
    """What was watched is what can be read afterwards, which comes in speaking order."""
    listed = [message async for message in cortex.list_messages(session_id)]
    starts = [message.start_offset.ToTimedelta() for message in listed]
    if {message.id for message in listed} != reader.read:
        raise DemoFailed("ListMessages does not give the messages that WatchMessages gave")
    if starts != sorted(starts):
        raise DemoFailed("ListMessages does not give the messages in speaking order")

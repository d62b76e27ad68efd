"""The room, and the bot in it: plays every speaker's audio to the transcriber as a voice server would."""

import asyncio
import time
from datetime import UTC, datetime

from cortex.transcriber.v1.transcriber_service_pb2 import StreamAudioResponse

from cortex_client.client import CortexClient
from cortex_client.demo.measure import SentFrames
from cortex_client.demo.meeting import Meeting, MeetingSpeaker
from cortex_client.demo.pacing import Pace
from cortex_client.peer import Peer, Speaker


class Room:
    """Plays one meeting.

    Attributes:
        began_at: when the frames with sequence number 0 were captured.
        sent: when each speaker's frames were handed over, by user id.
        finals: the utterances that the transcriber heard.
        endpoint_s: how long it waits after speech before an utterance is over, as waited at this speed; None until the
            stream is open.
    """

    def __init__(self, meeting: Meeting, speed: float) -> None:
        self._meeting = meeting
        self._speed = speed
        self.began_at = datetime.now(UTC)
        self.sent = {speaker.user_id: SentFrames(speaker.frame_s) for speaker in meeting.speakers}
        self.finals: set[str] = set()
        self.endpoint_s: float | None = None

    async def play(self, cortex: CortexClient, session_id: str) -> None:
        """Play the meeting to its end, and wait until all of it was heard."""
        async with cortex.audio_stream(session_id, hear=self._hear) as audio:
            self.began_at = datetime.now(UTC)
            peers = [(speaker, await audio.join(self._introduction(speaker))) for speaker in self._meeting.speakers]
            pace = Pace(self._speed)
            async with asyncio.TaskGroup() as speaking:
                for speaker, peer in peers:
                    speaking.create_task(self._speak(speaker, peer, pace))

    def _introduction(self, speaker: MeetingSpeaker) -> Speaker:
        return Speaker(
            peer_id=f"connection-of-{speaker.user_id}",
            user_id=speaker.user_id,
            sequence_zero_at=self.began_at,
            sample_rate=speaker.sample_rate,
            frame_duration=speaker.frame_duration,
        )

    async def _speak(self, speaker: MeetingSpeaker, peer: Peer, pace: Pace) -> None:
        """Send each frame when its last sample has been captured; what is silent is said to be, and not sent."""
        sent = self.sent[speaker.user_id]
        for sequence, frame in enumerate(speaker.frames):
            await pace.until((sequence + 1) * speaker.frame_s)
            sent.note(time.monotonic())
            await (peer.silent() if frame is None else peer.send(frame))
        peer.leave()

    def _hear(self, response: StreamAudioResponse) -> None:
        match response.WhichOneof("message"):
            case "final":
                self.finals.add(response.final.utterance_id)
            case "opened" if response.opened.HasField("endpoint_silence"):
                self.endpoint_s = response.opened.endpoint_silence.ToTimedelta().total_seconds() / self._speed

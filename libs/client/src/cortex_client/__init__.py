"""Python SDK of Cortex.

    async with CortexClient(Addresses("…:7001", "…:7002", "…:7003"), project_id) as cortex:
        session = (await cortex.create_session("room-1", "cortex://lobby")).session
        async with cortex.audio_stream(session.id) as audio:
            ada = await audio.join(Speaker("peer-1", "ada", sequence_zero_at=now))
            await ada.send(*frames)
        async for message in cortex.list_messages(session.id):
            print(message.sender_name, message.content)

Frames may be PCM, G.711 or Opus, as the voice server gives them: see `Speaker`.
"""

from cortex_client.audio_stream import AudioStream
from cortex_client.client import Addresses, CortexClient
from cortex_client.errors import CallFailed
from cortex_client.peer import Encoding, Peer, Speaker

__all__ = ["Addresses", "AudioStream", "CallFailed", "CortexClient", "Encoding", "Peer", "Speaker"]

"""Floor of `density`: `sherpa-onnx-offline-websocket-server` on the same model files, and a client for it.

It detects nothing and streams nothing: an utterance comes whole, in one message, when its last sample was spoken.
The message: sample rate and number of bytes as little-endian int32, then float32 samples; the answer: JSON.
"""

import asyncio
import base64
import json
import os
import struct
import subprocess
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
from conversations import RATE, Pcm
from cortex_runtime.adapters.embedded.ports import LOOPBACK, free_port
from floors.sherpa import PROGRAM as NEIGHBOUR
from floors.sherpa import write_tokens

PROGRAM = NEIGHBOUR.parent / "sherpa-onnx-offline-websocket-server"

BINARY, MASKED, FINAL_FRAME = 0x2, 0x80, 0x80
"""Of RFC 6455. The mask is zero: the client has nothing to compute then."""

LENGTH_16, LENGTH_64 = 126, 127
STARTS_WITHIN = 30.0
ASK_AGAIN_AFTER = 0.1


@asynccontextmanager
async def sherpa_server(model: Path, folder: Path) -> AsyncIterator[tuple[int, int]]:
    """The server, with a worker for each of two cores; its port and its process."""
    tokens, port = folder / "tokens.txt", free_port()
    write_tokens(model, tokens)
    with (folder / "server.log").open("w") as log:
        process = await asyncio.create_subprocess_exec(
            str(PROGRAM),
            f"--port={port}",
            "--num-work-threads=2",
            "--num-threads=1",
            "--max-batch-size=1",
            f"--log-file={folder / 'answers.log'}",
            f"--moonshine-encoder={model / 'encoder_model.ort'}",
            f"--moonshine-merged-decoder={model / 'decoder_model_merged.ort'}",
            f"--tokens={tokens}",
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        async with asyncio.timeout(STARTS_WITHIN):
            while not await _listens(port):  # noqa: ASYNC110 - another process, which says nothing
                await asyncio.sleep(ASK_AGAIN_AFTER)
        yield port, process.pid
    finally:
        process.kill()
        await process.wait()


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(LOOPBACK, port)
    except OSError:
        return False
    writer.close()
    return True


def packed(pcm: Pcm) -> bytes:
    """An utterance, as it goes over the wire."""
    samples = (pcm.astype(np.float32) / (1 << 15)).astype("<f4").tobytes()
    payload = struct.pack("<ii", RATE, len(samples)) + samples
    if len(payload) < 1 << 16:
        length = struct.pack(">BH", MASKED | LENGTH_16, len(payload))
    else:
        length = struct.pack(">BQ", MASKED | LENGTH_64, len(payload))
    return bytes([FINAL_FRAME | BINARY]) + length + bytes(4) + payload


class Line:
    """A connection. Answers come in the order of the utterances."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._owed: deque[asyncio.Future[str]] = deque()

    @classmethod
    async def open(cls, port: int) -> "Line":
        """Connect."""
        reader, writer = await asyncio.open_connection(LOOPBACK, port)
        key = base64.b64encode(os.urandom(16)).decode()
        writer.write(
            f"GET / HTTP/1.1\r\nHost: {LOOPBACK}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        await reader.readuntil(b"\r\n\r\n")
        return cls(reader, writer)

    def hand_over(self, utterance: bytes) -> "asyncio.Future[str]":
        """Send an utterance; its text, once it is there."""
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._owed.append(answer)
        self._writer.write(utterance)
        return answer

    async def listen(self) -> None:
        """Take answers, for ever."""
        while True:
            text = await self._message()
            self._owed.popleft().set_result(str(json.loads(text)["text"]).strip())

    async def _message(self) -> bytes:
        length = (await self._reader.readexactly(2))[1]
        if length == LENGTH_16:
            (length,) = struct.unpack(">H", await self._reader.readexactly(2))
        return await self._reader.readexactly(length)

    def close(self) -> None:
        """Hang up."""
        self._writer.close()

"""gRPC calls on one connection, written by hand: a client that costs next to nothing.

grpc's own client takes as much CPU for a message as its server does, and a load of 10,000 messages a second from it
would be late on a busy core. This one does what such a load needs and nothing else: it compresses nothing, takes small
answers only, and waits for nobody: who sends more than the server has room for fails.
"""

import socket
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, SETTINGS, PING, WINDOW_UPDATE = 0, 1, 4, 6, 8
ACK = END_STREAM = 1
END_HEADERS: Final = 4
INITIAL_WINDOW_SIZE: Final = 4
FRAME_HEAD: Final = 9
MESSAGE_HEAD: Final = 5

WINDOW: Final = 65_535
"""Bytes that may be under way in a call, and in all of them, before anybody says otherwise."""

WIDE: Final = 1 << 30
"""Bytes that the server may answer in all calls together; more than any block makes."""

READ: Final = 65_536


class ServerBehind(RuntimeError):
    """The server has not taken what was sent before."""


@dataclass
class PlainCall:
    """One call; `ended` says that the server has ended it."""

    number: int
    room: int
    ended: bool = False
    answers: bytearray = field(default_factory=bytearray)

    def messages(self) -> Iterator[bytes]:
        """The whole messages that were received and not yet taken."""
        while len(self.answers) >= MESSAGE_HEAD:
            end = MESSAGE_HEAD + int.from_bytes(self.answers[1:MESSAGE_HEAD], "big")
            if len(self.answers) < end:
                return
            yield bytes(self.answers[MESSAGE_HEAD:end])
            del self.answers[:end]


class PlainConnection:
    """A connection, and its calls by their numbers."""

    def __init__(self, address: str) -> None:
        host, _, port = address.rpartition(":")
        self._address = address
        self.socket = socket.create_connection((host, int(port)))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.calls: dict[int, PlainCall] = {}
        self._next, self._room, self._room_of_call = 1, WINDOW, WINDOW
        self._in = bytearray()
        self.socket.sendall(PREFACE + _frame(SETTINGS, 0, 0) + _frame(WINDOW_UPDATE, 0, 0, WIDE.to_bytes(4, "big")))

    def call(self, path: str) -> PlainCall:
        """Begin a call that streams both ways."""
        call = self.calls[self._next] = PlainCall(self._next, self._room_of_call)
        self._next += 2
        headers = {
            ":method": "POST",
            ":scheme": "http",
            ":path": path,
            ":authority": self._address,
            "te": "trailers",
            "content-type": "application/grpc",
        }
        self.socket.sendall(_frame(HEADERS, END_HEADERS, call.number, _block(headers)))
        return call

    def send(self, call: PlainCall, message: bytes) -> None:
        """Send a message. Raises ServerBehind."""
        body = b"\0" + len(message).to_bytes(4, "big") + message
        call.room -= len(body)
        self._room -= len(body)
        if call.room < 0 or self._room < 0:
            raise ServerBehind
        self.socket.sendall(_frame(DATA, 0, call.number, body))

    def end(self, call: PlainCall) -> None:
        """Send nothing more."""
        self.socket.sendall(_frame(DATA, END_STREAM, call.number))

    def receive(self) -> None:
        """Take what the server has sent; waits for something to come."""
        data = self.socket.recv(READ)
        if not data:
            raise EOFError("the server closed the connection")
        self._in += data
        for kind, flags, number, payload in self._frames():
            self._take(kind, flags, number, payload)

    def _frames(self) -> Iterator[tuple[int, int, int, bytes]]:
        while len(self._in) >= FRAME_HEAD:
            end = FRAME_HEAD + int.from_bytes(self._in[:3], "big")
            if len(self._in) < end:
                return
            yield *struct.unpack(">BBI", self._in[3:FRAME_HEAD]), bytes(self._in[FRAME_HEAD:end])
            del self._in[:end]

    def _take(self, kind: int, flags: int, number: int, payload: bytes) -> None:
        if kind == DATA:
            self.calls[number].answers += payload
        elif kind == WINDOW_UPDATE:
            self._widen(number, int.from_bytes(payload, "big"))
        elif kind == PING and not flags & ACK:
            self.socket.sendall(_frame(PING, ACK, 0, payload))
        elif kind == SETTINGS and not flags & ACK:
            self._settle(payload)
        if kind in (DATA, HEADERS) and flags & END_STREAM:
            self.calls[number].ended = True

    def _widen(self, number: int, size: int) -> None:
        if number:
            self.calls[number].room += size
        else:
            self._room += size

    def _settle(self, payload: bytes) -> None:
        """The server sets how much every call may have under way, also those that run."""
        for name, value in struct.iter_unpack(">HI", payload):
            if name == INITIAL_WINDOW_SIZE:
                for call in self.calls.values():
                    call.room += value - self._room_of_call
                self._room_of_call = value
        self.socket.sendall(_frame(SETTINGS, ACK, 0))


def _frame(kind: int, flags: int, number: int, payload: bytes = b"") -> bytes:
    return len(payload).to_bytes(3, "big") + struct.pack(">BBI", kind, flags, number) + payload


def _block(headers: Mapping[str, str]) -> bytes:
    """Headers as literals that nobody shall index."""
    return b"".join(b"\0" + _string(name) + _string(value) for name, value in headers.items())


def _string(text: str) -> bytes:
    """Shorter than 127 bytes, and not compressed."""
    return bytes([len(text)]) + text.encode("ascii")

"""What kind of file a recording is, and whether it is whole: read from its own headers, before any decoder sees it.

Sources: RIFF WAVE (Microsoft's Multimedia Programming Interface 1.0), FLAC (RFC 9639), Ogg (RFC 3533).
"""

import struct
from typing import Final, Literal

from cortex_transcriber.recordings.refusing import CutOff, Damaged, NotTaken

Container = Literal["wav", "flac", "ogg"]

RIFF_HEADER: Final = 12
CHUNK_HEADER: Final = 8
MOST_CHUNKS: Final = 1_000
"""Before the audio of a WAV: real files have fewer than ten."""

ENDLESS: Final = 0x7FFFF000
"""Lengths from which on a WAV's writer did not know how much would come: sox writes this one, ffmpeg larger ones."""

STREAMINFO: Final = slice(18, 26)
"""Of a FLAC: 20 bits of rate, 3 of channels, 5 of depth, 36 of samples."""

TOTAL_SAMPLES: Final = (1 << 36) - 1

OGG_HEADER: Final = 27
SEGMENTS_AT: Final = 26


def container_of(data: bytes) -> Container:
    """The kind of file.

    Raises:
        NotTaken: none that is taken.
    """
    if data[:4] == b"RIFF" and data[8:RIFF_HEADER] == b"WAVE":
        return "wav"
    if data[:4] == b"fLaC":
        return "flac"
    if data[:4] == b"OggS":
        return "ogg"
    raise NotTaken


def require_whole(data: bytes, container: Container) -> None:
    """See whether the file ends where its headers say; a FLAC's say it in samples, see `promised_samples`.

    Raises:
        CutOff: it ends before.
        Damaged: the headers make no sense.
    """
    if container == "wav":
        _require_whole_wav(data)
    elif container == "ogg":
        _require_whole_ogg(data)


def promised_samples(data: bytes) -> int:
    """The samples of each channel that a FLAC says it has; 0 when it does not say."""
    head = data[STREAMINFO]
    return int.from_bytes(head, "big") & TOTAL_SAMPLES if len(head) == STREAMINFO.stop - STREAMINFO.start else 0


def _require_whole_wav(data: bytes) -> None:
    at = RIFF_HEADER
    for _ in range(MOST_CHUNKS):
        if at + CHUNK_HEADER > len(data):
            raise Damaged
        name, size = struct.unpack_from("<4sI", data, at)
        at += CHUNK_HEADER
        if name == b"data":
            if len(data) - at < size < ENDLESS:
                raise CutOff
            return
        at += size + size % 2
    raise Damaged


def _require_whole_ogg(data: bytes) -> None:
    """Every page is followed by another one or by the end."""
    at = 0
    while at < len(data):
        if not data.startswith(b"OggS"[: len(data) - at], at):
            raise Damaged
        body = at + OGG_HEADER + (data[at + SEGMENTS_AT] if at + OGG_HEADER <= len(data) else 0)
        at = body + sum(data[at + OGG_HEADER : body])
        if body > len(data) or at > len(data):
            raise CutOff

"""Hears files by a running transcriber."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from cortex.transcriber.v1.transcriber_service_pb2 import RecognizedUtterance
from cortex_client import CallFailed, CortexClient
from cortex_client.client import Addresses
from cortex_client.errors import LimitReached, TimedOut, Unavailable
from google.protobuf.duration_pb2 import Duration

from cortex_cli.complaint import Complaint
from cortex_cli.hints import HINTS, refused
from cortex_cli.ports import Heard, Hearer, Told
from cortex_cli.transcript import Utterance, Word


class ServiceHearer:
    """The port `Hearer` on a service."""

    def __init__(self, client: CortexClient, model: str, language: str) -> None:
        self._client = client
        self._model = model
        self._language = language

    async def hear(self, data: bytes, told: Told) -> Heard:
        """Hear a file; the service says nothing of its progress."""
        told(0.0, None)
        answer = await self._client.recognize(data, model=self._model, language=self._language)
        return Heard(_seconds(answer.duration), tuple(_utterance(said) for said in answer.utterances))


@asynccontextmanager
async def connected(service: str, project: str) -> AsyncIterator[CortexClient]:
    """The service at `host:port`.

    Raises:
        Complaint: whatever a call comes back with instead of an answer.
    """
    async with CortexClient(Addresses(service, service, service), project) as client:
        try:
            yield client
        except CallFailed as failure:
            raise _complaint(failure, service) from failure


class _Complaining:
    """A hearer whose failed calls are complaints, file by file."""

    def __init__(self, hearer: Hearer, service: str) -> None:
        self._hearer = hearer
        self._service = service

    async def hear(self, data: bytes, told: Told) -> Heard:
        try:
            return await self._hearer.hear(data, told)
        except CallFailed as failure:
            raise _complaint(failure, self._service) from failure


@asynccontextmanager
async def hearing_by(service: str, project: str, model: str, language: str) -> AsyncIterator[Hearer]:
    """The pipeline of the transcriber at `host:port`."""
    async with connected(service, project) as client:
        yield _Complaining(ServiceHearer(client, model, language), service)


def _utterance(said: RecognizedUtterance) -> Utterance:
    words = tuple(Word(_seconds(word.start_offset), word.text, word.confidence) for word in said.words)
    return Utterance(_seconds(said.start_offset), _seconds(said.end_offset), said.text, said.confidence, words)


def _seconds(duration: Duration) -> float:
    return duration.ToTimedelta().total_seconds()


def _complaint(failure: CallFailed, service: str) -> Complaint:
    if isinstance(failure, Unavailable):
        return Complaint(f"the service at {service} cannot be reached", "is it running? `make up` starts one")
    if isinstance(failure, TimedOut):
        return Complaint(f"the service at {service} did not answer in time", "it is busy, or the recording is long")
    if isinstance(failure, LimitReached) and not failure.reason:
        return Complaint("the service takes no such large messages", HINTS["RECORDING_TOO_LARGE"])
    if failure.retry_after is not None:
        return Complaint(failure.message, f"try again in {failure.retry_after:.0f} s")
    return refused(failure.message, failure.reason)

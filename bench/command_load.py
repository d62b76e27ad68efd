"""The callers of `commands`, a process of their own: callers that each wait for an answer before they ask again.

The arguments: the service's address, the project, and a file with a participant's id in each line. A line
`CALLERS SECONDS` is answered by a line of JSON: what was acknowledged, and how long it took.
"""

import asyncio
import itertools
import json
import sys
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
from cortex.identity.v1.identity_service_pb2 import CreateParticipantRequest, UpdateParticipantRequest
from cortex.identity.v1.identity_service_pb2_grpc import IdentityServiceStub
from google.protobuf.field_mask_pb2 import FieldMask

if TYPE_CHECKING:
    from cortex.identity.v1.identity_service_pb2_grpc import IdentityServiceAsyncStub

ANSWER_WITHIN = 20.0
NAME_ONLY = FieldMask(paths=["display_name"])

Acknowledged = tuple[str, str, int]
"""The participant, the name that it was given, and the position."""


class Callers:
    """Half of what they ask for are new participants, the other half new names of old ones, in a fixed order."""

    def __init__(self, stub: "IdentityServiceAsyncStub", project: str, people: list[str]) -> None:
        self._stub = stub
        self._project = project
        self._numbers = itertools.count()
        self._people = itertools.cycle(people)

    async def block(self, callers: int, seconds: float) -> tuple[list[Acknowledged], float]:
        """Everything that was acknowledged, and the seconds until the last answer."""
        acknowledged: list[Acknowledged] = []
        began = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for _ in range(callers):
                group.create_task(self._caller(began + seconds, acknowledged))
        return acknowledged, time.perf_counter() - began

    async def _caller(self, until: float, acknowledged: list[Acknowledged]) -> None:
        while time.perf_counter() < until:
            ask = self._create if next(self._numbers) % 2 else self._update
            acknowledged.append(await ask(uuid.uuid4().hex))

    async def _create(self, name: str) -> Acknowledged:
        answer = await self._stub.CreateParticipant(
            CreateParticipantRequest(
                project_id=self._project,
                request_id=str(uuid.uuid4()),
                external_user_id=f"user of {name}",
                display_name=name,
            ),
            timeout=ANSWER_WITHIN,
        )
        return answer.participant.id, name, answer.position

    async def _update(self, name: str) -> Acknowledged:
        participant_id = next(self._people)
        answer = await self._stub.UpdateParticipant(
            UpdateParticipantRequest(
                project_id=self._project,
                request_id=str(uuid.uuid4()),
                participant_id=participant_id,
                display_name=name,
                update_mask=NAME_ONLY,
            ),
            timeout=ANSWER_WITHIN,
        )
        return participant_id, name, answer.position


async def main(address: str, project: str, ids: list[str]) -> None:
    """Answer one line for each line, until the input ends."""
    async with grpc.aio.insecure_channel(address) as channel:
        callers = Callers(IdentityServiceStub(channel), project, ids)
        while line := await asyncio.to_thread(sys.stdin.readline):
            count, seconds = line.split()
            acknowledged, took = await callers.block(int(count), float(seconds))
            print(json.dumps({"acknowledged": acknowledged, "seconds": took}), flush=True)


if __name__ == "__main__":
    _, where, whose, people = sys.argv
    asyncio.run(main(where, whose, Path(people).read_text(encoding="ascii").split()))

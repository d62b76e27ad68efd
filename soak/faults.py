"""What may happen to an installation. Chance chooses before anything is done, so that a seed repeats the choices."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from random import Random

from cortex_testkit.waiting import eventually
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError

from tests.faults.damage import TAIL, alarm, delete, positions, purge, purge_subject
from tests.faults.evidence import STREAMS
from tests.faults.gathering import jetstream
from tests.faults.installation import SERVICES
from tests.faults.verdict import Trial
from tests.faults.walks import WALKS

LONGEST_AWAY = 3.0
"""Seconds for which something stays dead: longer than one attempt at a call, far shorter than the callers' patience."""

PASSES = 3
"""A failpoint kills at its first, second or third pass: the traffic passes each of them that often in seconds."""


@dataclass(frozen=True)
class Fault:
    """Something that happens.

    Attributes:
        what: for people.
        strike: does it; everything is there again when it returns.
    """

    what: str
    strike: Callable[[Trial], Awaitable[None]]


def chosen(chance: Random) -> Fault:
    """The next fault."""
    kinds: Sequence[tuple[int, Callable[[Random], Fault]]] = (
        (4, _service),
        (6, _at_failpoint),
        (2, _nats),
        (1, _wiped),
        (2, _postgres),
        (1, _everything),
        (3, _damage_while_away),
        (2, _damage_while_running),
    )
    (kind,) = chance.choices([kind for _, kind in kinds], [weight for weight, _ in kinds])
    return kind(chance)


def _service(chance: Random) -> Fault:
    name, away = chance.choice(SERVICES), chance.uniform(0, LONGEST_AWAY)

    async def strike(trial: Trial) -> None:
        await trial.installed.kill(name)
        await asyncio.sleep(away)
        await trial.installed.start(name)

    return Fault(f"killed {name}, away for {away:.1f} s", strike)


def _at_failpoint(chance: Random) -> Fault:
    services, failpoints = WALKS[chance.choice(list(WALKS))]
    name, failpoint, number = chance.choice(services), chance.choice(failpoints), chance.randint(1, PASSES)

    async def strike(trial: Trial) -> None:
        await trial.installed.kill(name)
        await trial.installed.start(name, f"{failpoint}=kill@{number}")
        await trial.installed.died(name, failpoint)
        await trial.installed.start(name)

    return Fault(f"killed {name} at {failpoint}, pass {number}", strike)


def _nats(chance: Random) -> Fault:
    away = chance.uniform(0, LONGEST_AWAY)

    async def strike(trial: Trial) -> None:
        await trial.installed.servers.nats.kill()
        await asyncio.sleep(away)
        await trial.installed.servers.nats.restart()

    return Fault(f"killed nats-server, away for {away:.1f} s", strike)


def _wiped(_: Random) -> Fault:
    async def strike(trial: Trial) -> None:
        await trial.installed.servers.nats.wipe()
        await trial.installed.servers.nats.restart()

    return Fault("killed nats-server and lost what it stored", strike)


def _postgres(chance: Random) -> Fault:
    away = chance.uniform(0, LONGEST_AWAY)

    async def strike(trial: Trial) -> None:
        await trial.installed.servers.postgres.kill()
        await asyncio.sleep(away)
        await trial.installed.servers.postgres.restart()

    return Fault(f"killed PostgreSQL, away for {away:.1f} s", strike)


def _everything(chance: Random) -> Fault:
    order = chance.sample(SERVICES, len(SERVICES))

    async def strike(trial: Trial) -> None:
        servers = trial.installed.servers
        await asyncio.gather(trial.installed.kill(*order), servers.postgres.kill(), servers.nats.kill())
        await asyncio.gather(servers.postgres.restart(), servers.nats.restart())
        for name in order:
            await trial.installed.start(name)

    return Fault("killed everything at once", strike)


def _damage_while_away(chance: Random) -> Fault:
    name, damage = chance.choice(SERVICES), chance.choice(["tail", "subject", "all", "stream"])

    async def strike(trial: Trial) -> None:
        await eventually(partial(_is_worth_damaging, trial, name))
        await trial.installed.kill(name)
        said = len(trial.installed.output(name))
        deleted = await _damaged(trial, name, damage)
        # A tail that is missing when the relay starts is published again; the subject's messages lie further back.
        _may_lack(trial, name, deleted if damage == "subject" else set())
        await trial.installed.start(name)
        if damage == "all":
            command = await eventually(partial(alarm, trial.installed, name, said))
            await trial.installed.run(name, command, "--yes")

    return Fault(f"killed {name} and deleted of its stream: {damage}", strike)


def _damage_while_running(chance: Random) -> Fault:
    name, damage = chance.choice(SERVICES), chance.choice(["tail", "stream"])

    async def strike(trial: Trial) -> None:
        await eventually(partial(_is_worth_damaging, trial, name))
        # Behind a tail that is missing, the relay may have published already.
        _may_lack(trial, name, await _damaged(trial, name, damage))

    return Fault(f"deleted of the stream of {name}: {damage}", strike)


async def _damaged(trial: Trial, name: str, damage: str) -> set[int]:
    """Damage a stream; the positions of what was deleted, where a part was."""
    stream = STREAMS[name]
    async with jetstream(trial.installed.servers.nats.url) as broker:
        match damage:
            case "tail":
                return await _delete_tail(broker, stream)
            case "subject":
                before = await positions(trial.installed, name)
                await purge_subject(broker, stream)
                return {*before} - await positions(trial.installed, name)
            case "all":
                await purge(broker, stream)
            case "stream":
                await delete(broker, stream)
    return set()


async def _delete_tail(broker: JetStreamContext, stream: str) -> set[int]:
    """Delete the last messages, as far as they are there; their positions."""
    last, deleted = (await broker.stream_info(stream)).state.last_seq, set[int]()
    for sequence in range(last - TAIL + 1, last + 1):
        with suppress(NotFoundError):
            message = await broker.get_msg(stream, sequence)
            deleted.add(int((message.headers or {})["ce-position"]))
            await broker.delete_msg(stream, sequence)
    return deleted


def _may_lack(trial: Trial, name: str, deleted: set[int]) -> None:
    """These positions may be missing from now on: readers find them in the feed."""
    trial.deleted[name] = trial.deleted.get(name, set()) | deleted


async def _is_worth_damaging(trial: Trial, name: str) -> bool:
    """Whether the stream is there, and more of it than a tail."""
    async with jetstream(trial.installed.servers.nats.url) as broker:
        try:
            return (await broker.stream_info(STREAMS[name])).state.messages > 2 * TAIL
        except NotFoundError:
            return False

"""`python -m cortex_client.demo.up`: the demo's servers and services, for whoever wants to call them, until Ctrl-C."""

import asyncio
import sys

from cortex_runtime.adapters.embedded.ports import is_free

from cortex_client.demo.ending import INTERRUPTED, OK, Ended, run
from cortex_client.demo.installation import Ports, installation

# The same each time, so that a script can name them; NATS has the port that its users know.
USUAL = Ports(identity=7001, session=7002, transcriber=7003, nats=4222)


def main() -> int:
    """Run until Ctrl-C; the exit status."""
    try:
        run(_serve)
    except Ended as ended:
        return OK if ended.status == INTERRUPTED else ended.status
    return OK


async def _serve() -> None:
    async with installation(_usual_where_free(), _say):
        _say("ready; Ctrl-C ends everything, and nothing that was stored stays")
        await asyncio.Event().wait()


def _usual_where_free() -> Ports:
    return Ports(**{name: port if is_free(port) else None for name, port in vars(USUAL).items()})


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())

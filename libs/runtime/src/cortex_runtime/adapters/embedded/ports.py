"""Free TCP ports on loopback for servers that must come back on the same port."""

import random
import socket
from pathlib import Path

LOOPBACK = "127.0.0.1"

# The kernel takes the ports of outgoing connections from this range (ip(7)); Linux's default where it cannot be read.
_EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")
_EPHEMERAL_FROM = 32768
# Well-known services live below this.
_LOWEST = 12000
# Far more tries than ports in use on any machine would cost.
_TRIES = 200


def free_port() -> int:
    """A port of loopback that nobody listens on, below the range of outgoing connections.

    A port from that range would not do: while the server is away a client's attempt to reconnect can be given the very
    same port as its own, connects to itself, and keeps the server from coming back.
    """
    for port in random.SystemRandom().sample(range(_LOWEST, _first_ephemeral()), _TRIES):
        if is_free(port):
            return port
    raise OSError(f"no free port on {LOOPBACK}")


def _first_ephemeral() -> int:
    try:
        lowest = int(_EPHEMERAL.read_text().split()[0])
    except OSError:
        lowest = _EPHEMERAL_FROM
    return lowest if lowest > _LOWEST + _TRIES else _EPHEMERAL_FROM


def is_free(port: int) -> bool:
    """Whether nobody listens on this port of loopback."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True

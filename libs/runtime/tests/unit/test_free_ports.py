"""Where a server may listen."""

import socket
from pathlib import Path

import pytest
from cortex_runtime.adapters.embedded.ports import free_port

pytestmark = pytest.mark.unit


def test_keeps_away_from_the_ports_of_clients() -> None:
    """A client that reconnects to a server that is away must not be able to take its port."""
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    assert {free_port() < lowest for _ in range(20)} == {True}


def test_a_free_port_can_be_listened_on() -> None:
    """It is free at the time of asking."""
    with socket.create_server(("127.0.0.1", free_port())) as listening:
        assert listening.getsockname()[0] == "127.0.0.1"

"""What the integration tests of the runtime share."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def folder_for_servers() -> Iterator[Path]:
    """A fresh folder that an unprivileged server can reach: pytest's own ones are closed to others."""
    with tempfile.TemporaryDirectory(prefix="cortex test ") as folder:
        if os.geteuid() == 0:
            Path(folder).chmod(0o711)
        servers = Path(folder) / "servers"
        servers.mkdir()
        yield servers

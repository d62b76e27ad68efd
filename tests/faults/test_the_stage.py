"""A test finds a whole installation, whatever the one before it left behind."""

import uuid

import pytest

from tests.faults.evidence import STREAMS
from tests.faults.gathering import jetstream
from tests.faults.installation import Installation
from tests.faults.ledger import Ledger
from tests.faults.stage import made_whole
from tests.faults.verdict import Trial

pytestmark = [pytest.mark.faults, pytest.mark.timeout(120)]


async def test_what_an_earlier_test_left_is_mended(trial: Trial, installed: Installation) -> None:
    """A dead service, an armed one, an emptied stream and one with a hole: the streams are their stores again."""
    async with jetstream(installed.servers.nats.url) as broker:
        await installed.kill("identity", "session")
        await installed.start("session", "commands.after_decide=kill")
        await broker.purge_stream(STREAMS["identity"])
        await broker.delete_msg(STREAMS["transcriber"], 1)
    await made_whole(installed)
    assert await trial.verdict(Ledger(str(uuid.uuid4())), {}) == []

import pytest
from cortex_eventing.adapters.memory_checkpoints import MemoryCheckpointStore
from cortex_eventing.adapters.memory_stream import MemoryStream
from cortex_testkit.contracts.checkpoint_contract import CheckpointContract
from cortex_testkit.contracts.stream_contract import StreamContract, StreamRig

pytestmark = pytest.mark.unit


class TestMemoryStream(StreamContract):
    @pytest.fixture
    def rig(self) -> StreamRig:
        """One object is all three."""
        stream = MemoryStream()
        return StreamRig(stream, stream, stream)


class TestMemoryCheckpoints(CheckpointContract):
    @pytest.fixture
    def checkpoints(self) -> MemoryCheckpointStore:
        """A new reader's."""
        return MemoryCheckpointStore()

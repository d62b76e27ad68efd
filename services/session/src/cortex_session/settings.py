"""What session reads from the environment."""

from typing import Annotated

from cortex_runtime.settings import Group, ServiceSettings
from pydantic import Field


class TranscriberSettings(Group):
    """The transcriber, whose events become messages.

    Attributes:
        address: where its gRPC server is, as gRPC names targets: its feed is read when its stream lacks something.
    """

    address: Annotated[str, Field(min_length=1)]


class SessionSettings(ServiceSettings):
    """What every service needs, and where the transcriber is (`CORTEX_TRANSCRIBER_ADDRESS`)."""

    transcriber: TranscriberSettings

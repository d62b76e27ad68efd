"""Settings as a process would read them, from an environment that a test makes up."""

import os
from collections.abc import Mapping
from typing import TypeVar
from unittest.mock import patch

from cortex_runtime.settings import ServiceSettings, load

Settings = TypeVar("Settings", bound=ServiceSettings)


def settings_from(settings: type[Settings], environment: Mapping[str, str]) -> Settings:
    """What a process with this environment, and nothing else of ours in it, would be told."""
    foreign = {name: value for name, value in os.environ.items() if not name.startswith("CORTEX_")}
    with patch.dict(os.environ, {**foreign, **environment}, clear=True):
        return load(settings)

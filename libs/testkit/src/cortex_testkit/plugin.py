"""The pytest plugin of Cortex: test categories and, for every test that asks, PostgreSQL and NATS."""

import pytest

from cortex_testkit.categories import CATEGORIES


def pytest_configure(config: pytest.Config) -> None:
    """Make the categories known wherever the plugin is."""
    for name, meaning in CATEGORIES.items():
        config.addinivalue_line("markers", f"{name}: {meaning}")

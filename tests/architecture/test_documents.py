"""The documents speak of files that exist."""

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.architecture

ROOT = Path(__file__).parents[2]
FILES = {
    str(path.relative_to(ROOT))
    for folder in ("libs", "services", "protos", "docs", "bench", "scripts", "soak", "tests")
    for path in (ROOT / folder).rglob("*")
    if path.is_file()
}
NAMED = re.compile(r"`([\w./-]+\.(?:py|sql|proto|md))`")
LINKED = re.compile(r"\]\(([\w./-]+)\)")


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md", "docs/architecture.md"])
def test_named_files_exist(document: str) -> None:
    """Every file that a document names in code marks is there, under that name."""
    named = set(NAMED.findall((ROOT / document).read_text()))
    assert {name for name in named if not any(f"/{path}".endswith(f"/{name}") for path in FILES)} == set()


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md", "docs/architecture.md"])
def test_links_lead_somewhere(document: str) -> None:
    """Every relative link leads to a file or folder."""
    page = ROOT / document
    assert [link for link in LINKED.findall(page.read_text()) if not (page.parent / link).exists()] == []

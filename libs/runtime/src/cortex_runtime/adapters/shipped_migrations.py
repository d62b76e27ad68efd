"""The numbered SQL files that a package ships in its folder `migrations`."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from importlib.resources.abc import Traversable

_FILE_NAME = re.compile(r"(?P<number>\d{4})_[a-z0-9_]+\.sql")


class MigrationError(RuntimeError):
    """A migration is misnamed, missing, was changed after it was applied, or leaves a table open."""


@dataclass(frozen=True)
class Migration:
    """One step of a package's schema, applied once and never changed afterwards."""

    package: str
    number: int
    name: str
    sql: str = field(repr=False)

    @property
    def checksum(self) -> str:
        """SHA-256 of the file, in hexadecimal."""
        return hashlib.sha256(self.sql.encode()).hexdigest()

    def __str__(self) -> str:
        return f"{self.package}/{self.name}"


def shipped(package: str) -> Sequence[Migration]:
    """A package's migrations, by number.

    Args:
        package: the importable package that holds the folder, for instance `cortex_identity`.

    Raises:
        MigrationError: there are none, a file is not named `NNNN_what_it_does.sql`, or the numbers are not 1, 2, 3, ...
    """
    folder = files(package) / "migrations"
    found = sorted(_read(package, file) for file in folder.iterdir()) if folder.is_dir() else []
    if [number for number, _ in found] != list(range(1, len(found) + 1)) or not found:
        names = ", ".join(migration.name for _, migration in found) or "none"
        raise MigrationError(f"{package}: migrations must be numbered from 0001 without a gap, found: {names}")
    return [migration for _, migration in found]


def _read(package: str, file: Traversable) -> tuple[int, Migration]:
    named = _FILE_NAME.fullmatch(file.name)
    if named is None:
        raise MigrationError(f"{package}: {file.name} must be named NNNN_what_it_does.sql")
    number = int(named["number"])
    return number, Migration(package, number, file.name, file.read_text(encoding="utf-8"))

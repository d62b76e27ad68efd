"""How a service reaches its database."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class DatabaseAccess:
    """Connection strings for the three roles of one service's database; none is a superuser.

    Attributes:
        owner_dsn: makes and changes tables; only migrations use it.
        writer_dsn: appends events, keeps checkpoints, writes read models; sees every project.
        reader_dsn: answers queries; sees the rows of the project that its transaction names in `cortex.project`.
    """

    owner_dsn: str = field(repr=False)
    writer_dsn: str = field(repr=False)
    reader_dsn: str = field(repr=False)

"""Typed settings, read once from the environment.

A variable is named after its place: `CORTEX_GRPC_PORT` is `settings.grpc.port`. A service's settings extend
`ServiceSettings` with fields or groups of their own. Whatever is wrong is said at once, by variable and rule, never by
value: a value may be a secret.
"""

import ipaddress
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict
from pydantic_settings import SettingsError as UnreadableVariable

from cortex_runtime.database import DatabaseAccess

PREFIX = "CORTEX_"

LONGEST_GRACE = 600.0  # seconds: no orchestrator waits longer for a process to end
SHORTEST_KEY = 32  # characters: a claim key guards personal values against guessing


_KEYWORDS = re.compile(r"\s*[a-z_]+\s*=")  # the other way that PostgreSQL writes connection strings


def loopback(host: str) -> str:
    """Accept only addresses of this machine: until callers have keys nobody else may reach us.

    Raises:
        ValueError: it is another address, or a name other than `localhost`.
    """
    if host == "localhost":
        return host
    try:
        local = ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = False
    if not local:
        raise ValueError("must be a loopback address (127.0.0.1, ::1 or localhost) as long as there are no keys")
    return host


def _loopback_url(url: str) -> str:
    loopback(_host_of(url, ("nats", "tls"), "nats://host:port"))
    return url


def _postgres_dsn(dsn: SecretStr) -> SecretStr:
    text = dsn.get_secret_value()
    if not _KEYWORDS.match(text):
        _host_of(
            text, ("postgres", "postgresql"), "postgresql://user:password@host:port/database, or user=... host=..."
        )
    return dsn


def _host_of(url: str, schemes: Sequence[str], form: str) -> str:
    """A URL's host; the errors of the parser itself would tell the value."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in schemes and parts.port != 0
    except ValueError:
        usable = False
    if not usable or not parts.hostname:
        raise ValueError(f"must be of the form {form}")
    return parts.hostname


def _long_key(key: SecretStr) -> SecretStr:
    if len(key.get_secret_value()) < SHORTEST_KEY:
        raise ValueError(f"must have at least {SHORTEST_KEY} characters")
    return key


Loopback = Annotated[str, AfterValidator(loopback)]
NatsUrl = Annotated[str, AfterValidator(_loopback_url)]
ClaimKey = Annotated[SecretStr, AfterValidator(_long_key)]
PostgresDsn = Annotated[SecretStr, AfterValidator(_postgres_dsn)]
Port = Annotated[int, Field(ge=0, le=65535)]


class Group(BaseModel):
    """Settings that belong together."""

    model_config = ConfigDict(frozen=True)


class PostgresSettings(Group):
    """The service's own database, once for each of its three roles.

    Attributes:
        owner_dsn: makes and changes tables; only migrations use it.
        writer_dsn: event store, request rows, claims, read models.
        reader_dsn: queries, held to one project by row-level security.
    """

    owner_dsn: PostgresDsn
    writer_dsn: PostgresDsn
    reader_dsn: PostgresDsn

    @property
    def access(self) -> DatabaseAccess:
        """The same as what reaches the database takes it."""
        dsns = (self.owner_dsn, self.writer_dsn, self.reader_dsn)
        return DatabaseAccess(*(dsn.get_secret_value() for dsn in dsns))


class NatsSettings(Group):
    """The broker.

    Attributes:
        url: where it listens; loopback only for now.
        manage_streams: whether the service creates its stream when it is missing, and brings one that is there up to
            date.
    """

    url: NatsUrl
    manage_streams: bool = True


class GrpcSettings(Group):
    """The gRPC server.

    Attributes:
        host: where it listens; loopback only for now.
        port: 0 for any free one.
        grace: seconds that running calls get to end in when the process stops.
        reflection: whether clients may ask what the server serves.
    """

    host: Loopback = "127.0.0.1"
    port: Port = 0
    grace: Annotated[float, Field(ge=0, le=LONGEST_GRACE)] = 10.0
    reflection: bool = True

    @property
    def address(self) -> str:
        """Host and port as gRPC writes them."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class AdminSettings(Group):
    """The HTTP server for operators' machines: `/metrics`.

    Attributes:
        host: where it listens; loopback only for now.
        port: 0 for any free one; without it there is no such server.
    """

    host: Loopback = "127.0.0.1"
    port: Port | None = None


class LogSettings(Group):
    """The log on standard error.

    Attributes:
        level: the least severe line that is written.
    """

    level: Literal["debug", "info", "warning", "error"] = "info"


class TracesSettings(Group):
    """Traces.

    Attributes:
        exporter: the installed OpenTelemetry exporter to use, for example `otlp` or `console`; empty for no traces.
    """

    exporter: str = ""


class ServiceSettings(BaseSettings):
    """What every service's process is told.

    Attributes:
        claim_key: the key under which the store hashes claimed values. Changing it needs a rebuild of the claims.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="_",
        env_nested_max_split=1,
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
    )

    postgres: PostgresSettings
    nats: NatsSettings
    claim_key: ClaimKey
    grpc: GrpcSettings = GrpcSettings()
    admin: AdminSettings = AdminSettings()
    log: LogSettings = LogSettings()
    traces: TracesSettings = TracesSettings()


@dataclass(frozen=True)
class Problem:
    """One variable that is wrong, and the rule it breaks."""

    variable: str
    rule: str


class SettingsError(Exception):
    """The environment does not say what this process needs to know. Lists every variable that is wrong."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(f"{problem.variable}: {problem.rule}" for problem in problems))
        self.problems = tuple(problems)


Settings = TypeVar("Settings", bound=BaseSettings)


def load(settings: type[Settings]) -> Settings:
    """Read the settings from the environment.

    Raises:
        SettingsError: names every variable that is missing or wrong.
    """
    try:
        return settings()
    except ValidationError as error:
        details = error.errors(include_input=False)
        raise SettingsError([problem for detail in details for problem in _problems(settings, detail)]) from None
    except UnreadableVariable as error:
        raise SettingsError([Problem(f"{PREFIX}*", str(error))]) from None


def _problems(settings: type[BaseSettings], detail: Mapping[str, Any]) -> Iterable[Problem]:
    path = [str(part) for part in detail["loc"]]
    if detail["type"] != "missing":
        return [Problem(variable_of(path), str(detail["msg"]).removeprefix("Value error, ").removeprefix("Input "))]
    group = settings.model_fields[path[0]].annotation if len(path) == 1 else None
    if isinstance(group, type) and issubclass(group, Group):
        required = [name for name, field in group.model_fields.items() if field.is_required()]
        return [Problem(variable_of([*path, name]), "is missing") for name in required]
    return [Problem(variable_of(path), "is missing")]


def variable_of(path: Sequence[str]) -> str:
    """The variable that a field is read from, by the field's place in the settings."""
    return PREFIX + "_".join(path).upper()

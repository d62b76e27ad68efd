"""Etags: the version of a resource's representation, as quoted text (AIP-154)."""

import re

from cortex_eventing.errors import Outdated

_ETAG = re.compile(r'"v(0|[1-9][0-9]{0,18})"')


def etag_of(version: int) -> str:
    """The etag of a version, for example `"v17"` with its quotes."""
    return f'"v{version}"'


def version_of(etag: str) -> int | None:
    """The version that a caller expects, or None when the caller named none.

    Raises:
        Outdated: the text is no etag of ours, and so not the current one.
    """
    if not etag:
        return None
    match = _ETAG.fullmatch(etag)
    if match is None:
        raise Outdated("the etag is not the current one", field="etag")
    return int(match[1])


def require_current(etag: str, version: int) -> None:
    """Refuse a change that was decided on another version than the current one; no etag permits any.

    Raises:
        Outdated: the etag is another version's.
    """
    expected = version_of(etag)
    if expected is not None and expected != version:
        raise Outdated("the etag is not the current one", field="etag")

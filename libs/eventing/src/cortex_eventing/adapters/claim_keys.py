"""What the store keeps of a claimed value: a keyed hash, so that a stolen table tells nobody who is in a project."""

import hashlib
import hmac

SHORTEST_SECRET = 16
"""Bytes. Emails and user ids are few enough to be tried out, so that the secret is what protects them."""


class ClaimKeys:
    """Derives the keys of claims.

    Args:
        secret: from `CORTEX_CLAIM_KEY`, the same for ever: with another one every claim is free again, until a rebuild.

    Raises:
        ValueError: the secret is too short.
    """

    def __init__(self, secret: bytes) -> None:
        if len(secret) < SHORTEST_SECRET:
            raise ValueError(f"the claim key must have at least {SHORTEST_SECRET} bytes")
        self._keyed = hmac.new(secret, digestmod=hashlib.sha256)

    def __call__(self, kind: str, value: str) -> bytes:
        """HMAC-SHA256 of kind and value; the kind's length stands before it, so that no two pairs run together."""
        keyed = self._keyed.copy()
        encoded = kind.encode()
        keyed.update(len(encoded).to_bytes(4, "big") + encoded + value.encode())
        return keyed.digest()

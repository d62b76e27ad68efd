"""Which failures of a stream pass by themselves."""

import grpc

from cortex_client.errors import CallFailed

# A server that goes away closes its streams with one of these, and so does a connection that breaks halfway.
PASSING = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED, grpc.StatusCode.DEADLINE_EXCEEDED}


def is_passing(failed: CallFailed) -> bool:
    """Whether another attempt may succeed: the server is away, or full and said when to come back."""
    full = failed.code is grpc.StatusCode.RESOURCE_EXHAUSTED and failed.retry_after is not None
    return failed.code in PASSING or full

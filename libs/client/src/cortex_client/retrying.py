"""Which failures of a stream pass by themselves."""

import grpc

from cortex_client.errors import CallFailed

# A server that goes away closes its streams with one of these, and so does a connection that breaks halfway.
PASSING = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED, grpc.StatusCode.DEADLINE_EXCEEDED}


def is_passing(failed: CallFailed) -> bool:
    """Whether another attempt may succeed: the server is away, or full and said when to come back.

    A connection that breaks while a message is being written ends the call with INTERNAL, said by our own end of it
    before the real reason can arrive. The services give a reason with every error, so the one without is gRPC's.
    """
    full = failed.code is grpc.StatusCode.RESOURCE_EXHAUSTED and failed.retry_after is not None
    broke = failed.code is grpc.StatusCode.INTERNAL and not failed.reason
    return failed.code in PASSING or full or broke

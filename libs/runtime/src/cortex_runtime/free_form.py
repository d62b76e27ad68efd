"""Free-form data of integrators, in `google.protobuf.Struct` fields: bounded, so that every reader can hold it."""

import math

from cortex_eventing.errors import InvalidInput
from google.protobuf.struct_pb2 import ListValue, Struct, Value

LARGEST_USER_DATA = 16 * 1024  # bytes serialized; what the contracts promise
DEEPEST_USER_DATA = 32  # levels; JSON readers of other languages stop at 64 and less, protobuf at 100


def require_user_data(data: Struct, field: str = "user_data") -> None:
    """Refuse free-form data that is too large, too deep, or that JSON cannot say.

    Raises:
        InvalidInput: names `field` and the rule.
    """
    if data.ByteSize() > LARGEST_USER_DATA:
        rule = f"{field} must be at most {LARGEST_USER_DATA} bytes serialized"
        raise InvalidInput(rule, reason="TOO_LARGE", field=field)
    _require_struct(data, field, DEEPEST_USER_DATA)


def _require_struct(data: Struct, field: str, levels: int) -> None:
    if levels == 0:
        raise InvalidInput(f"{field} must be at most {DEEPEST_USER_DATA} levels deep", reason="TOO_DEEP", field=field)
    for value in data.fields.values():
        _require_value(value, field, levels)


def _require_value(value: Value, field: str, levels: int) -> None:
    match value.WhichOneof("kind"):
        case "struct_value":
            _require_struct(value.struct_value, field, levels - 1)
        case "list_value":
            _require_list(value.list_value, field, levels - 1)
        case "number_value" if not math.isfinite(value.number_value):
            raise InvalidInput(f"{field}: numbers must be finite", reason="NOT_FINITE", field=field)
        case None:
            raise InvalidInput(f"{field}: every value must be set", reason="VALUE_MISSING", field=field)


def _require_list(values: ListValue, field: str, levels: int) -> None:
    if levels == 0:
        raise InvalidInput(f"{field} must be at most {DEEPEST_USER_DATA} levels deep", reason="TOO_DEEP", field=field)
    for value in values.values:
        _require_value(value, field, levels)

"""Events of a service that does not exist, with every kind of field that an option can stand on."""

from cortex_testkit.proto_builder import Definition, Field, define

_CLASSES = define(
    "cortex_testkit.sample.v1",
    Definition("Stamp", (Field("place"),)),
    Definition(
        "Card",
        (
            Field("colour"),
            Field("holder", marks=("personal",)),
            Field("pin", "bytes", marks=("private",)),
            Field("spare", "Card"),
        ),
    ),
    Definition(
        "BoxOpened",
        (
            Field("box_id", marks=("resource_id",)),
            Field("owner_id", marks=("data_owner",)),
            Field("label"),
            Field("owner_name", marks=("personal",)),
            Field("secret", "bytes", marks=("private",)),
            Field("card", "Card"),
            Field("stamps", "Stamp", repeated=True),
            Field("nicknames", marks=("personal",), repeated=True),
            Field("home", "Stamp", marks=("personal",)),
        ),
        event=("box", "box", "opened", "box.opened"),
    ),
    Definition(
        "BoxFilled",
        (Field("box_id", marks=("resource_id",)), Field("amount", "int64")),
        event=("box", "box", "filled", "box.filled"),
    ),
)

BoxOpened = _CLASSES["BoxOpened"]
"""The first event of a box: holds plain, personal and private fields, alone, repeated and in a sub-message."""

BoxFilled = _CLASSES["BoxFilled"]
"""A later event of a box: `amount` more lies in it."""

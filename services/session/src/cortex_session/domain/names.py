"""How people are called in a transcript."""

SYSTEM = "[System]"
"""Who sends the system's notes."""

NAMELESS = "Guest"
"""A participant of whom neither a name nor an id is known."""


def name_of(display_name: str, external_user_id: str) -> str:
    """The best name that there is."""
    return display_name or external_user_id or NAMELESS

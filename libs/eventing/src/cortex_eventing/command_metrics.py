"""What command handling counts."""

from prometheus_client import Counter

COMMANDS = Counter("cortex_commands", "Commands, by how they ended.", ["aggregate", "outcome"])
CONFLICTS = Counter("cortex_command_conflicts", "Decisions made again, as somebody else was faster.", ["aggregate"])

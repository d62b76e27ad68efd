"""Which aggregate is meant."""

import uuid
from typing import NewType

ParticipantId = NewType("ParticipantId", uuid.UUID)
SessionId = NewType("SessionId", uuid.UUID)

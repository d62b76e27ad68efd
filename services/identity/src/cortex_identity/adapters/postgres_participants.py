"""Lists of participants, asked of PostgreSQL (8)."""

from collections.abc import Sequence

from cortex_eventing.adapters.postgres.views import Views
from psycopg.rows import class_row

from cortex_identity.read_models.participants import PAGE, ParticipantRow


class ParticipantList:
    """A project's participants, oldest first."""

    def __init__(self, views: Views) -> None:
        self._views = views

    async def page(
        self, project_id: str, external_user_ids: Sequence[str], after: int, limit: int
    ) -> Sequence[ParticipantRow]:
        """Those who came after a position; with external user ids only those who have one of them."""
        values = {
            "project_id": project_id,
            "external_user_ids": list(external_user_ids) or None,
            "after": after,
            "limit": limit,
        }
        async with (
            self._views.project(project_id) as connection,
            connection.cursor(row_factory=class_row(ParticipantRow)) as cursor,
        ):
            await cursor.execute(PAGE, values)
            return await cursor.fetchall()

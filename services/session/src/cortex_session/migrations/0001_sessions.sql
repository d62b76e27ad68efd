-- Which sessions does a project have, newest first? See read_models/sessions.py.

CREATE TABLE sessions (
    project_id uuid NOT NULL,
    session_id uuid PRIMARY KEY,
    external_room_id text NOT NULL,
    gateway text NOT NULL,
    title text NOT NULL,
    idle_timeout interval NOT NULL,
    status bigint NOT NULL,
    bot_status bigint NOT NULL,
    end_reason bigint NOT NULL,
    created_at timestamptz NOT NULL,
    started_at timestamptz,
    ended_at timestamptz,
    version bigint NOT NULL,
    created_position bigint NOT NULL
);

CREATE INDEX sessions_in_order ON sessions (project_id, created_position);
CREATE INDEX sessions_by_status ON sessions (project_id, status, created_position);

SELECT cortex_guard_read_model('sessions');

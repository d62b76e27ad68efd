-- Who was in the room of a session? See read_models/attendance.py.

CREATE TABLE attendances (
    project_id uuid NOT NULL,
    session_id uuid NOT NULL,
    participant_id uuid NOT NULL,
    external_user_id text NOT NULL,
    display_name text NOT NULL,
    joined_at timestamptz,
    joined_position bigint,
    left_at timestamptz,
    spoke boolean NOT NULL,
    visits jsonb NOT NULL,
    PRIMARY KEY (session_id, participant_id)
);

CREATE INDEX attendances_in_order ON attendances (session_id, joined_position);

SELECT cortex_guard_read_model('attendances');

-- Which participants does a project have, oldest first? See read_models/participants.py.

CREATE TABLE participants (
    project_id uuid NOT NULL,
    participant_id uuid PRIMARY KEY,
    external_user_id text NOT NULL,
    display_name text NOT NULL,
    email text NOT NULL,
    user_data bytea NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    version bigint NOT NULL,
    created_position bigint NOT NULL
);

CREATE INDEX participants_in_order ON participants (project_id, created_position);
CREATE INDEX participants_by_external_user_id ON participants (project_id, external_user_id)
    WHERE external_user_id <> '';

SELECT cortex_guard_read_model('participants');

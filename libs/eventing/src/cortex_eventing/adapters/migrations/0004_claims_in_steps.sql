-- A large store has more claims than one statement may take the time for. cortex_replace_claims begins, with the first of
-- them or none; in the same transaction these follow, under its lock.

CREATE FUNCTION cortex_add_claims(k_project text[], k_kind text[], k_key bytea[], k_owner text[]) RETURNS void
LANGUAGE sql
SECURITY DEFINER SET search_path FROM CURRENT
AS $$
    INSERT INTO claims (project_id, kind, key, owner) SELECT * FROM unnest(k_project, k_kind, k_key, k_owner)
$$;

-- The second wall between projects: a reader sees the rows of the project that its transaction names, whatever the query
-- says. Every table is either a guarded read model or declared internal; the runner refuses a migration that leaves one
-- that is neither. `cortex.writer_role` and `cortex.reader_role` are set by the runner.

CREATE TABLE cortex_internal_tables (
    name text PRIMARY KEY
);

-- Declare a table that no reader may ever see: events, claims, checkpoints.
CREATE FUNCTION cortex_internal_table(relation regclass) RETURNS void
LANGUAGE sql AS $$
    INSERT INTO cortex_internal_tables VALUES (relation::text) ON CONFLICT DO NOTHING
$$;

-- Guard a read model: a table with a column `project_id`. The writer may do everything to it.
CREATE FUNCTION cortex_guard_read_model(relation regclass) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    writer text := current_setting('cortex.writer_role');
    reader text := current_setting('cortex.reader_role');
    project_type text;
BEGIN
    SELECT format_type(atttypid, atttypmod) INTO project_type
    FROM pg_attribute WHERE attrelid = relation AND attname = 'project_id' AND NOT attisdropped;
    IF project_type IS NULL THEN
        RAISE EXCEPTION 'read model % has no column project_id', relation;
    END IF;
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', relation);
    EXECUTE format('CREATE POLICY cortex_writer ON %s FOR ALL TO %I USING (true) WITH CHECK (true)', relation, writer);
    -- A setting that was local to an earlier transaction is '' afterwards, not NULL: both name no project.
    EXECUTE format(
        'CREATE POLICY cortex_reader ON %s FOR SELECT TO %I '
        'USING (project_id = nullif(current_setting(''cortex.project'', true), '''')::%s)',
        relation, reader, project_type);
    EXECUTE format('GRANT SELECT ON %s TO %I', relation, reader);
    -- A rebuild starts from an empty table.
    EXECUTE format('GRANT TRUNCATE ON %s TO %I', relation, writer);
END
$$;

-- The tables and views that are neither guarded nor internal. A partition is reached through its parent; a view shows
-- what the one who asks may see only when it is made WITH (security_invoker).
CREATE FUNCTION cortex_unguarded_tables() RETURNS SETOF text
LANGUAGE sql STABLE AS $$
    SELECT relation.oid::regclass::text
    FROM pg_class relation
    WHERE relation.relkind IN ('r', 'p', 'v', 'm', 'f')
      AND NOT relation.relispartition
      AND relation.relnamespace NOT IN (SELECT oid FROM pg_namespace WHERE nspname ~ '^pg_' OR nspname = 'information_schema')
      AND relation.oid::regclass::text NOT IN (SELECT name FROM cortex_internal_tables)
      AND NOT (relation.relkind = 'v' AND 'security_invoker=true' = ANY (coalesce(relation.reloptions, '{}')))
      AND NOT (relation.relrowsecurity AND 2 = (
          SELECT count(*) FROM pg_policy
          WHERE polrelid = relation.oid AND polname IN ('cortex_writer', 'cortex_reader')))
    ORDER BY 1
$$;

SELECT cortex_internal_table('cortex_internal_tables'), cortex_internal_table('cortex_migrations');

-- Copyright (c) 2026 vya.backupdb contributors
-- GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
-- SPDX-License-Identifier: GPL-3.0-or-later
--
-- A job queue: functions that lock and notify.
CREATE TYPE job_state AS ENUM ('new', 'running');
ALTER TYPE job_state ADD VALUE 'waiting' BEFORE 'running';
CREATE UNLOGGED TABLE heartbeat (worker uuid PRIMARY KEY, at timestamptz);
CREATE TABLE jobs (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, state job_state NOT NULL DEFAULT 'new', args jsonb NOT NULL, tries smallint[], run_at timestamptz);
CREATE FUNCTION take(n int DEFAULT 1) RETURNS SETOF jobs LANGUAGE sql AS $$ UPDATE jobs SET state = 'running' WHERE id IN (SELECT id FROM jobs WHERE state = 'new' ORDER BY id FOR UPDATE SKIP LOCKED LIMIT n) RETURNING * $$;
CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_notify('jobs', NEW.id::text); RETURN NULL; END $$;
CREATE TRIGGER tell AFTER INSERT ON jobs FOR EACH ROW EXECUTE FUNCTION tell();
CREATE CONSTRAINT TRIGGER later AFTER UPDATE ON jobs DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION tell();
CREATE PROCEDURE purge(INOUT gone int DEFAULT 0) LANGUAGE plpgsql AS $$ BEGIN DELETE FROM jobs WHERE state = 'running'; GET DIAGNOSTICS gone = ROW_COUNT; END $$;
CREATE INDEX ON jobs (run_at, id) WHERE state IN ('new', 'waiting');
INSERT INTO jobs (args, tries) SELECT jsonb_build_array(n, NULL, 1e400::numeric), ARRAY[[1, NULL], [n, 2]] FROM generate_series(1, 200) n;
INSERT INTO heartbeat SELECT md5(n::text)::uuid, 'infinity' FROM generate_series(1, 9) n;
SELECT count(*) FROM take(5);
CREATE PUBLICATION changes FOR TABLE jobs (id, state) WHERE (id > 10) WITH (publish = 'insert');
ALTER FUNCTION take COST 5 ROWS 7;
REVOKE EXECUTE ON FUNCTION take FROM PUBLIC;
GRANT EXECUTE ON FUNCTION take TO app_writer;

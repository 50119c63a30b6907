-- Copyright (c) 2026 vya.backupdb contributors
-- GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
-- SPDX-License-Identifier: GPL-3.0-or-later
--
-- A git forge: partitions of two levels, partial indexes, checks that are not valid, generated columns.
CREATE TABLE projects (id bigserial PRIMARY KEY, path text, path_lower text GENERATED ALWAYS AS (lower(path)) STORED, archived boolean, stars int, CONSTRAINT stars_positive CHECK (stars >= 0) NO INHERIT);
CREATE TABLE events (id bigint, project bigint REFERENCES projects, day date NOT NULL, kind text NOT NULL, payload jsonb) PARTITION BY RANGE (day);
CREATE TABLE events_old PARTITION OF events FOR VALUES FROM (MINVALUE) TO ('2025-01-01') PARTITION BY LIST (kind);
CREATE TABLE events_old_push PARTITION OF events_old FOR VALUES IN ('push', 'tag');
CREATE TABLE events_old_rest PARTITION OF events_old DEFAULT PARTITION BY HASH (id);
CREATE TABLE events_old_rest_0 PARTITION OF events_old_rest FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE events_old_rest_1 PARTITION OF events_old_rest FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE events_new (payload jsonb, gone int, kind text NOT NULL, day date NOT NULL, project bigint, id bigint) WITH (fillfactor = 50);
ALTER TABLE events_new DROP COLUMN gone;
ALTER TABLE events ATTACH PARTITION events_new FOR VALUES FROM ('2025-01-01') TO (MAXVALUE);
CREATE INDEX ON events (project, day) WHERE kind <> 'tag';
CREATE UNIQUE INDEX ON projects (path_lower) WHERE NOT archived;
INSERT INTO projects (path, archived, stars) SELECT 'Group/P' || n, n % 5 = 0, n FROM generate_series(1, 100) n;
INSERT INTO events SELECT n, 1 + n % 100, date '2024-01-01' + n, (ARRAY['push', 'tag', 'issue', 'wiki'])[1 + n % 4], jsonb_build_object('n', n, 'u', E'\u00e9"\\') FROM generate_series(1, 800) n;
ALTER TABLE projects ADD CONSTRAINT few_stars CHECK (stars < 10) NOT VALID;
CREATE STATISTICS path_stars (dependencies, mcv) ON archived, stars FROM projects;

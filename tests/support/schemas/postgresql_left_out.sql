-- Copyright (c) 2026 vya.backupdb contributors
-- GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
-- SPDX-License-Identifier: GPL-3.0-or-later
--
-- What pg_dump leaves out by its own design. Run it by psql, statement by statement, in a new database, as a superuser.

CREATE EXTENSION hstore;
CREATE EXTENSION postgres_fdw;

-- Given to an extension, with all that is on it
CREATE TABLE given (id int PRIMARY KEY, v text, w text);
INSERT INTO given VALUES (1, 'kept nowhere');
ALTER EXTENSION hstore ADD TABLE given;
CREATE INDEX given_v ON given (v);
ALTER TABLE given ADD CONSTRAINT given_positive CHECK (id > 0);
CREATE STATISTICS given_statistics ON v, w FROM given;
ALTER TABLE given ENABLE ROW LEVEL SECURITY;
CREATE POLICY given_policy ON given USING (true);
COMMENT ON POLICY given_policy ON given IS 'all of it';
CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER given_trigger BEFORE INSERT ON given FOR EACH ROW EXECUTE FUNCTION noted();
COMMENT ON TRIGGER given_trigger ON given IS 'does nothing';
CREATE RULE given_rule AS ON DELETE TO given DO INSTEAD NOTHING;
ALTER TABLE given ADD COLUMN added int DEFAULT 4;

-- On what the extension's script made
ALTER FUNCTION hstore_in(cstring) OWNER TO pg_monitor;
COMMENT ON FUNCTION skeys(hstore) IS 'ours';
GRANT EXECUTE ON FUNCTION hstore_recv(internal) TO pg_monitor;
CREATE SERVER near FOREIGN DATA WRAPPER postgres_fdw;
CREATE USER MAPPING FOR CURRENT_USER SERVER near OPTIONS (user 'x');
CREATE SERVER given_server FOREIGN DATA WRAPPER postgres_fdw;
ALTER EXTENSION hstore ADD SERVER given_server;
CREATE USER MAPPING FOR CURRENT_USER SERVER given_server OPTIONS (user 'x');

-- In the server's own schemas
CREATE FUNCTION pg_catalog.of_people() RETURNS int LANGUAGE sql AS 'SELECT 1';
COMMENT ON FUNCTION pg_catalog.of_people() IS 'in the wrong place';
CREATE TABLE information_schema.of_people (n int);
GRANT SELECT ON information_schema.tables TO pg_monitor;
GRANT SELECT ON pg_catalog.pg_class TO pg_monitor;

-- On types that belong to other objects
CREATE TABLE ordinary (x int PRIMARY KEY, y int);
INSERT INTO ordinary VALUES (1, 1), (2, 1);
COMMENT ON TYPE ordinary IS 'a row';
COMMENT ON TYPE ordinary[] IS 'rows';
CREATE TYPE pair AS (a int, b int);
COMMENT ON COLUMN pair.a IS 'the first';
CREATE TYPE span AS RANGE (subtype = int4);
CREATE STATISTICS ordinary_statistics ON x, y FROM ordinary;
CREATE PUBLICATION of_tables FOR TABLE ordinary;
CREATE PUBLICATION of_all FOR ALL TABLES;

-- A key that is not in force
CREATE TABLE child (x int REFERENCES ordinary);
ALTER TABLE child DISABLE TRIGGER ALL;

-- Copyright (c) 2026 vya.backupdb contributors
-- GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
-- SPDX-License-Identifier: GPL-3.0-or-later
--
-- Identity: row security, owners and grants of many roles.
CREATE SCHEMA auth AUTHORIZATION app_owner;
SET search_path = auth;
CREATE TABLE tenants (id int PRIMARY KEY, name name);
CREATE TABLE members (tenant int REFERENCES tenants, who text, secret text, PRIMARY KEY (tenant, who));
ALTER TABLE members OWNER TO app_owner;
ALTER TABLE members ENABLE ROW LEVEL SECURITY;
ALTER TABLE members FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON members AS RESTRICTIVE FOR SELECT TO app_reader, app_writer USING (who = CURRENT_USER);
CREATE POLICY all_rows ON members USING (tenant > 0) WITH CHECK (tenant < 100);
INSERT INTO tenants SELECT n, 't' || n FROM generate_series(1, 20) n;
INSERT INTO members SELECT t, 'u' || u, NULL FROM generate_series(1, 20) t, generate_series(1, 10) u;
GRANT USAGE ON SCHEMA auth TO app_reader, app_writer WITH GRANT OPTION;
GRANT ALL ON members TO app_writer;
REVOKE TRUNCATE ON members FROM app_writer;
GRANT SELECT (who), REFERENCES (tenant) ON members TO PUBLIC;
CREATE VIEW seen WITH (security_invoker) AS SELECT who FROM members WITH CASCADED CHECK OPTION;
ALTER DEFAULT PRIVILEGES FOR ROLE app_writer REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE identity TO app_reader WITH GRANT OPTION;
ALTER ROLE app_reader IN DATABASE identity SET work_mem = '7MB';
COMMENT ON POLICY own ON members IS 'only oneself';
COMMENT ON DATABASE identity IS 'who is who';

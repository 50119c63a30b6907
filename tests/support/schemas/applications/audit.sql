-- Copyright (c) 2026 vya.backupdb contributors
-- GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
-- SPDX-License-Identifier: GPL-3.0-or-later
--
-- An audit log: one trigger function for many tables, transition tables, an event trigger.
CREATE TABLE log (id bigserial, at timestamptz DEFAULT 'epoch', tab regclass, was jsonb, now jsonb);
CREATE TABLE watched (id int PRIMARY KEY, v text);
CREATE FUNCTION log_rows() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $f$ BEGIN INSERT INTO log (tab, was, now) VALUES (TG_RELID, to_jsonb(OLD), to_jsonb(NEW)); RETURN NULL; END $f$;
CREATE FUNCTION log_all() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN PERFORM count(*) FROM fresh; RETURN NULL; END $f$;
CREATE TRIGGER log_rows AFTER INSERT OR UPDATE ON watched FOR EACH ROW EXECUTE FUNCTION log_rows('a', 'b''c');
CREATE TRIGGER log_all AFTER INSERT ON watched REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION log_all();
INSERT INTO watched SELECT n, 'v' FROM generate_series(1, 50) n;
UPDATE watched SET v = 'w' WHERE id % 5 = 0;
CREATE FUNCTION on_ddl() RETURNS event_trigger LANGUAGE plpgsql AS $f$ BEGIN INSERT INTO public.log (was) VALUES (to_jsonb(tg_tag)); END $f$;
CREATE EVENT TRIGGER on_ddl ON ddl_command_end WHEN TAG IN ('CREATE TABLE', 'ALTER TABLE') EXECUTE FUNCTION on_ddl();

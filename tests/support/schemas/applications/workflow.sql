-- Copyright (c) 2026 vya.backupdb contributors
-- GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
-- SPDX-License-Identifier: GPL-3.0-or-later
--
-- A workflow: views that take writes by triggers and by rules.
CREATE TABLE steps (id serial PRIMARY KEY, state text, hidden boolean DEFAULT false);
CREATE VIEW open_steps AS SELECT id, state FROM steps WHERE NOT hidden;
ALTER VIEW open_steps ALTER state SET DEFAULT 'new';
CREATE FUNCTION put() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO steps (state) VALUES (NEW.state); RETURN NEW; END $$;
CREATE TRIGGER put INSTEAD OF INSERT ON open_steps FOR EACH ROW EXECUTE FUNCTION put();
CREATE RULE hide AS ON DELETE TO open_steps DO INSTEAD UPDATE steps SET hidden = true WHERE id = OLD.id;
CREATE RULE never AS ON DELETE TO steps DO INSTEAD NOTHING;
INSERT INTO open_steps (state) SELECT 's' || n FROM generate_series(1, 60) n;
DELETE FROM open_steps WHERE id % 4 = 0;

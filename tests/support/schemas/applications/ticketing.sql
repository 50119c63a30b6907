-- Copyright (c) 2026 vya.backupdb contributors
-- GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
-- SPDX-License-Identifier: GPL-3.0-or-later
--
-- Tickets: attachments as bytea, citext logins, a history by rule.
CREATE EXTENSION citext;
CREATE TABLE users (id serial PRIMARY KEY, login citext UNIQUE, active bool NOT NULL DEFAULT true);
CREATE TABLE tickets (id serial PRIMARY KEY, owner int REFERENCES users ON DELETE SET NULL, subject text, due timestamptz, tags text[] DEFAULT '{}');
CREATE TABLE history (ticket int, said text);
CREATE RULE remember AS ON UPDATE TO tickets WHERE OLD.subject <> NEW.subject DO ALSO INSERT INTO history VALUES (OLD.id, OLD.subject);
INSERT INTO users (login) SELECT 'User' || n || '@Example.org' FROM generate_series(1, 50) n;
INSERT INTO tickets (owner, subject, tags) SELECT 1 + n % 50, 'S' || n, ARRAY['a,b', '', NULL, '"', n::text] FROM generate_series(1, 300) n;
UPDATE tickets SET subject = 'changed' WHERE id % 10 = 0;
ALTER TABLE tickets ENABLE ALWAYS RULE remember;

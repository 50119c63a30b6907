-- Copyright (c) 2026 vya.backupdb contributors
-- GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
-- SPDX-License-Identifier: GPL-3.0-or-later
--
-- An ERP that inherits: several parents, columns that merge, overridden defaults.
CREATE TABLE base (id int, created date DEFAULT '2020-02-29', CHECK (id > 0));
CREATE TABLE named (name text NOT NULL);
CREATE TABLE parts (weight real DEFAULT 1) INHERITS (base, named);
CREATE TABLE machines (id int, power numeric) INHERITS (parts);
CREATE TABLE stray (name text NOT NULL, extra int, dropped int);
ALTER TABLE stray DROP COLUMN dropped;
ALTER TABLE stray INHERIT named;
ALTER TABLE machines ALTER created SET DEFAULT 'infinity', ADD PRIMARY KEY (id);
INSERT INTO base SELECT n FROM generate_series(1, 50) n;
INSERT INTO parts SELECT n, 'epoch', 'part' || n, n / 7.0 FROM generate_series(1, 50) n;
INSERT INTO machines (id, name, power) SELECT n, 'm', 10 ^ n FROM generate_series(1, 60) n;
INSERT INTO stray SELECT 's', n FROM generate_series(1, 10) n;
ALTER TABLE ONLY base ADD CONSTRAINT no_kids CHECK (id < 1000) NO INHERIT;

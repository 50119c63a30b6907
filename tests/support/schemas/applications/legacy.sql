-- Copyright (c) 2026 vya.backupdb contributors
-- GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
-- SPDX-License-Identifier: GPL-3.0-or-later
--
-- What grew for decades: no keys, equal rows, no columns, names like system columns.
CREATE TABLE nothing ();
CREATE TABLE rows_only ();
INSERT INTO rows_only SELECT FROM generate_series(1, 17);
CREATE TABLE equal_rows (a text, oid int, c char(10));
INSERT INTO equal_rows SELECT 'same', 1, 'x ' FROM generate_series(1, 40);
CREATE UNLOGGED TABLE cache (k text, v text);
INSERT INTO cache SELECT n, NULL FROM generate_series(1, 30) n;
CREATE TABLE shrunk (a int, b int, c int DEFAULT 5, d text);
INSERT INTO shrunk SELECT n, n, n, '' FROM generate_series(1, 40) n;
ALTER TABLE shrunk DROP COLUMN b;
ALTER TABLE shrunk ADD COLUMN e numeric DEFAULT 'NaN';
ALTER TABLE shrunk ALTER a TYPE bigint USING a * 4294967296;
CREATE TABLE all_gone (a int);
INSERT INTO all_gone VALUES (1), (2);
ALTER TABLE all_gone DROP COLUMN a;

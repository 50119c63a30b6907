-- Copyright (c) 2026 vya.backupdb contributors
-- GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
-- SPDX-License-Identifier: GPL-3.0-or-later
--
-- What contrib extensions give: trees, cubes, numbers, keys and hashes.
CREATE SCHEMA ext;
CREATE EXTENSION ltree SCHEMA ext;
CREATE EXTENSION "uuid-ossp" SCHEMA ext;
CREATE EXTENSION cube;
CREATE EXTENSION earthdistance;
CREATE EXTENSION intarray;
CREATE EXTENSION isn;
CREATE EXTENSION seg;
CREATE EXTENSION pgcrypto;
CREATE EXTENSION bloom;
CREATE EXTENSION btree_gin;
CREATE TABLE things (path ext.ltree, id uuid DEFAULT ext.uuid_nil(), place cube, isbn isbn13, measured seg, ids int[], a int, b int);
CREATE INDEX ON things USING gist (path);
CREATE INDEX ON things USING gin (ids gin__int_ops, a);
CREATE INDEX ON things USING bloom (a, b) WITH (length = 80, col1 = 2);
INSERT INTO things SELECT ('top.n' || n)::ext.ltree, ext.uuid_nil(), cube(ARRAY[n, 0.1]), NULL, '1.50 .. 2', ARRAY[n], n, n FROM generate_series(1, 60) n;

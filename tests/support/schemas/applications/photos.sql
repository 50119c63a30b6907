-- Copyright (c) 2026 vya.backupdb contributors
-- GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
-- SPDX-License-Identifier: GPL-3.0-or-later
--
-- A photo library: large objects with owners, rights and comments.
CREATE TABLE photos (id int PRIMARY KEY, image oid, thumb bytea);
ALTER TABLE photos ALTER thumb SET STORAGE EXTERNAL;
INSERT INTO photos SELECT n, lo_from_bytea(700000 + n, decode(repeat(md5(n::text), n * 50), 'hex')), decode(md5(n::text), 'hex') FROM generate_series(1, 12) n;
SELECT lo_create(800000);
SELECT lo_put(800000, 5000000, '\x00ff');
ALTER LARGE OBJECT 700001 OWNER TO app_owner;
GRANT SELECT ON LARGE OBJECT 700002 TO app_reader WITH GRANT OPTION;
COMMENT ON LARGE OBJECT 700003 IS 'it''s one';

-- Copyright (c) 2026 vya.backupdb contributors
-- GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
-- SPDX-License-Identifier: GPL-3.0-or-later
CREATE TABLE places (id int PRIMARY KEY, at_point point NOT NULL, outline polygon, route linestring, anything geometry, SPATIAL INDEX (at_point));
CREATE TABLE measures (id int NOT NULL AUTO_INCREMENT PRIMARY KEY, f float, d double, exact decimal(65, 0), tiny tinyint, small smallint unsigned, medium mediumint, bits bit(64), one bit(1) NOT NULL DEFAULT b'1', t time(3), dt datetime(6), ts timestamp(6) NULL, y year, b binary(5), vb varbinary(9), KEY (f), KEY (dt));
CREATE TABLE documents (id int PRIMARY KEY, doc json NOT NULL, name varchar(60) AS (JSON_UNQUOTE(JSON_EXTRACT(doc, '$.name'))) STORED, KEY (name));
CREATE TABLE wide (id int PRIMARY KEY, c01 text, c02 text, c03 text, c04 text, c05 text, c06 text, c07 text, c08 text, c09 text, c10 text, c11 text, c12 longblob);
INSERT INTO places SELECT i, ST_GeomFromText(CONCAT('POINT(', i / 7, ' ', -i, ')')), IF(i % 2, ST_GeomFromText('POLYGON((0 0,9 0,9 9,0 9,0 0),(1 1,2 1,2 2,1 2,1 1))'), NULL), ST_GeomFromText('LINESTRING(0 0,1e-300 1e300)'), IF(i % 3, ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 1),MULTIPOINT((2 2),(3 3)))'), NULL) FROM numbers WHERE i < 40;
INSERT INTO measures (f, d, exact, tiny, small, medium, bits, t, dt, ts, y, b, vb) VALUES (1.17549e-38, 2.2250738585072014e-308, 99999999999999999999999999999999999999999999999999999999999999999, -128, 65535, -8388608, b'1111111111111111111111111111111111111111111111111111111111111111', '838:59:59', '9999-12-31 23:59:59.999999', '2038-01-19 03:14:07.999999', 2155, X'00FF0A', X''), (-3.4e38, -0.0, -1, 127, 0, 8388607, 0, '-838:59:59', '1000-01-01', '1970-01-01 00:00:01', 1901, 'a', X'5C27'), (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL), (0.1, 0.1, 0, 0, 0, 0, b'1010', '00:00:00.001', '2026-02-28 00:00:00.000001', '2026-02-28 00:00:00', 0, '', '  ');
INSERT INTO measures (f, d) SELECT i / 3, EXP(i) FROM numbers WHERE i < 200;
INSERT INTO documents (id, doc) SELECT i, JSON_OBJECT('name', CONCAT('n', i), 'deep', JSON_ARRAY(JSON_OBJECT('a', JSON_ARRAY(i, TRUE, 1e10)))) FROM numbers;
INSERT INTO wide (id, c01, c06, c12) SELECT i, REPEAT('a', 300), REPEAT('ß', 200), UNHEX(REPEAT('00FF5C270A1A', i)) FROM numbers WHERE i < 80;

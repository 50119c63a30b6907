-- Copyright (c) 2026 vya.backupdb contributors
-- GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
-- SPDX-License-Identifier: GPL-3.0-or-later
--
-- Research: aggregates, operators and their classes, casts, collations.
CREATE COLLATION no_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TYPE complex AS (re float8, im float8);
CREATE FUNCTION plus(complex, complex) RETURNS complex IMMUTABLE STRICT LANGUAGE sql AS 'SELECT ROW($1.re + $2.re, $1.im + $2.im)::complex';
CREATE OPERATOR + (FUNCTION = plus, LEFTARG = complex, RIGHTARG = complex, COMMUTATOR = +);
CREATE AGGREGATE total (complex) (SFUNC = plus, STYPE = complex, INITCOND = '(0,0)');
CREATE FUNCTION to_complex(int) RETURNS complex IMMUTABLE LANGUAGE sql AS 'SELECT ROW($1, 0)::complex';
CREATE CAST (int AS complex) WITH FUNCTION to_complex(int) AS ASSIGNMENT;
CREATE FUNCTION backwards(int, int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT btint4cmp($2, $1)';
CREATE OPERATOR CLASS reverse_ops FOR TYPE int USING btree AS OPERATOR 1 >, OPERATOR 2 >=, OPERATOR 3 =, OPERATOR 4 <=, OPERATOR 5 <, FUNCTION 1 backwards(int, int);
CREATE TABLE samples (id int, name text COLLATE no_case UNIQUE, z complex, measured real);
CREATE INDEX ON samples (id reverse_ops);
INSERT INTO samples SELECT n, 'S' || n, ROW(n, 'NaN')::complex, n / 7.0 FROM generate_series(1, 100) n;

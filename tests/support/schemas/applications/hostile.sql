-- Copyright (c) 2026 vya.backupdb contributors
-- GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
-- SPDX-License-Identifier: GPL-3.0-or-later
--
-- Names that are hostile to SQL, to file names and to patterns.
CREATE SCHEMA "SELECT";
CREATE SCHEMA "a ""b"" 'c' %s \n";
CREATE TABLE "SELECT"."table" ("from" int PRIMARY KEY, "WHERE %s" text, "ünï😀" text, "it's" text, "back\slash" text, "new
line" text);
CREATE TABLE "a ""b"" 'c' %s \n"."*.*" ("?" int REFERENCES "SELECT"."table", "$1" text DEFAULT '%(x)s', ".." int);
CREATE TABLE "a ""b"" 'c' %s \n"."x;DROP TABLE y;--" ("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" serial);
CREATE TABLE "MiXed" (a int);
CREATE TABLE mixed (a int);
CREATE TABLE "new
line" (a int, "	tab" int);
CREATE TABLE "trailing " ();
CREATE TABLE "a.b" ("c.d" int);
CREATE TYPE "enum ""%""" AS ENUM ('', 'it''s', '%s', 'a
b', '\');
CREATE TABLE "uses enum" (e "enum ""%""", f "enum ""%"""[]);
CREATE FUNCTION "f(int)"("a b" int DEFAULT 1, VARIADIC "c""d" text[] DEFAULT '{"}"}') RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE VIEW "view %" AS SELECT "WHERE %s" AS "a""b" FROM "SELECT"."table";
CREATE INDEX "index ""%"" \" ON "SELECT"."table" (("WHERE %s" || '%'));
INSERT INTO "SELECT"."table" SELECT n, '%s', 'ü', '''', '\.', E'\n' FROM generate_series(1, 20) n;
INSERT INTO "a ""b"" 'c' %s \n"."*.*" SELECT n FROM generate_series(1, 20) n;
INSERT INTO "a ""b"" 'c' %s \n"."x;DROP TABLE y;--" SELECT FROM generate_series(1, 20);
INSERT INTO "MiXed" VALUES (1), (2);
INSERT INTO mixed VALUES (3);
INSERT INTO "new
line" VALUES (1, 2);
INSERT INTO "trailing " SELECT FROM generate_series(1, 3);
INSERT INTO "uses enum" VALUES ('', '{"","a
b"}'), (E'\\', NULL);
COMMENT ON TABLE "new
line" IS '\restrict x
\.
; DROP TABLE mixed; -- ''';
GRANT SELECT ("new
line") ON "SELECT"."table" TO app_reader;

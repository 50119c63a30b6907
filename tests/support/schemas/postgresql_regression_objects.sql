-- Copyright (c) 2026 vya.backupdb contributors
-- GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
-- SPDX-License-Identifier: GPL-3.0-or-later
--
-- Values and shapes as PostgreSQL's own regression database leaves them: every type with its extremes, odd names, and
-- definitions that are hard to write down again. Run it by psql with ON_ERROR_STOP in a new UTF8 database of
-- PostgreSQL 15 or newer, as a superuser.

SELECT current_setting('server_version_num')::int >= 160000 AS since_16,
       current_setting('server_version_num')::int >= 170000 AS since_17,
       current_setting('server_version_num')::int >= 180000 AS since_18,
       EXISTS (SELECT FROM pg_config() WHERE name = 'CONFIGURE' AND setting LIKE '%with-libxml%') AS with_xml \gset
CREATE SCHEMA kept;
CREATE SCHEMA "Kept Too";
SET search_path = kept, public;

-- Values of every type, as array and alone
CREATE TYPE mood AS ENUM ('low', 'high');
CREATE TYPE place AS (street text, at point, moods mood[]);
CREATE DOMAIN few AS int CHECK (VALUE < 10);
CREATE DOMAIN fewer AS few NOT NULL DEFAULT 2;
CREATE TYPE nested AS (inner_place place, places place[], n fewer);
CREATE TABLE values_of_types (
    id int PRIMARY KEY, b bool, c "char", ch char(5), vc varchar(7), nm name, i2 int2, i4 int4, i8 int8, f4 float4, f8 float8,
    n numeric, n2 numeric(10, -2), m money, bt bytea, bi bit(5), bv bit varying(9), d date, t time(3), ttz timetz, ts timestamp,
    tstz timestamptz, iv interval, iv2 interval day to second(2), u uuid, x xml, j json, jb jsonb, jp jsonpath, addr inet, ci cidr,
    ma macaddr, ma8 macaddr8, lsn pg_lsn, sn pg_snapshot, tx txid_snapshot, x8 xid8, xi xid, tid tid, tsv tsvector, tsq tsquery,
    p point, l line, ls lseg, bx box, pa path, po polygon, ci2 circle, o oid, rc regclass, rp regprocedure, rt regtype, rn regnamespace,
    ro regoperator, rl regrole, rco regcollation, rf regconfig, iv4 int2vector, ov oidvector, r int4range, rn2 numrange, mr int4multirange, tr tstzmultirange,
    me mood, mes mood[], pl place, pls place[], ne nested, fw fewer DEFAULT 3, a2 int[][], at text[]
);
INSERT INTO values_of_types (id, fw) VALUES (1, 1);
INSERT INTO values_of_types VALUES (
    2, true, 'x', 'ab', 'it''s', 'name', -32768, -2147483648, -9223372036854775808, '-Infinity', 'NaN', 'NaN', 123456, '-92233720368547758.08',
    '\x00ff5c27', B'10101', B'', '-infinity', '24:00:00', '00:00:00+15:59', '4713-01-01 00:00:00 BC', 'infinity',
    '-178000000 years -11 mons -3 days -04:05:06.7', '1 day 02:03:04.56', 'ffffffff-ffff-ffff-ffff-ffffffffffff', NULL,
    '{"a": 1, "a":  2}', '{"z": [1, null, "\u00e9\\"], "n": 1e400}', '$.a[*] ? (@ > 1)', '::1/64', '10.1.0.0/16', '08:00:2b:01:02:03',
    '08:00:2b:01:02:03:04:05', 'FFFFFFFF/FFFFFFFF', '10:20:10,14,15', '10:20:10,14,15', '18446744073709551615', '4294967295', '(4294967295,65535)',
    '''it''''s'':1A,2B \\\\:3', '!a & (b | c:*AB) <2> d', '(NaN,-Infinity)', '{1,-1,0}', '[(1,2),(3,4)]', '(1e300,2),(-1e-300,4)', '[(1,2),(3,4)]', '((0,0),(1,1),(0,2))',
    '<(0,0),Infinity>', 4294967295, 'kept.values_of_types', 'lower(text)', 'kept.mood[]', 'kept', '+(integer,integer)', 'pg_monitor', '"C"', 'simple',
    '1 2 3', '1 4294967295', '[1,)', '(,infinity)', '{[1,3),[5,9)}', '{(-infinity,infinity)}', 'high', '{low,NULL}', '("it''s, \"x\" \\",,{})',
    ARRAY[ROW(NULL, '(1,2)', '{high}')::place, NULL], ROW(ROW('a', NULL, NULL), '{}', 4)::nested, 9, '[0:1][-1:0]={{1,2},{3,NULL}}', '{"",NULL,"null","a,b","{}","\"","\\"}');
INSERT INTO values_of_types (id, n, n2, f4, f8, iv, d, ts, r, mr, jb, at, vc, ch) VALUES
    (3, 'Infinity', 99, 1.4e-45, 4.9e-324, '178000000 years', '5874897-12-31', '294276-12-31 23:59:59.999999', 'empty', '{}', 'null', '{}', '', ''),
    (4, '-Infinity', -1234, 3.4028235e38, 1.7976931348623157e308, '00:00:00.000001', '4713-11-24 BC', '-infinity', '(,)', '{(,)}', '"\u2028"', '{{a},{b}}', E'\t\n\\', ' '),
    (5, '1e-16383', 0, 0.1, 0.1, '-00:00:00.000001', 'infinity', 'epoch', '[-2147483648,2147483647)', '{[1,1]}', '1.10', NULL, 'é', 'é');
CREATE TABLE xml_values (x xml); 
\if :with_xml
INSERT INTO xml_values VALUES (xmlelement(name a, 'é<')), ('a <b/> fragment');
\endif
CREATE TABLE float_rows (f float8, g numeric); INSERT INTO float_rows VALUES ('-0', '-0'), (1e15, 1.0), (123456789012345678, 1.000), (1.0000000000000002, 1e100);
CREATE TABLE same_rows (a int, b text); INSERT INTO same_rows SELECT 1, 'x' FROM generate_series(1, 300); INSERT INTO same_rows VALUES (NULL, NULL), (NULL, '');
CREATE TABLE moved_rows (a int PRIMARY KEY, b text); INSERT INTO moved_rows SELECT g, 'x' FROM generate_series(1, 400) g;
UPDATE moved_rows SET b = repeat('long', a) WHERE a % 2 = 0;
CREATE TABLE wide_rows (a text, b bytea);
ALTER TABLE wide_rows ALTER a SET STORAGE EXTERNAL;
INSERT INTO wide_rows SELECT string_agg(md5(g::text), E'\n'), decode(string_agg(md5(g::text), ''), 'hex') FROM generate_series(1, 4000) g;

-- Names: keywords, line breaks, lookalikes, Unicode in two normal forms, 63 bytes
CREATE TABLE "table" ("select" int, "from" int DEFAULT 1, "user" text DEFAULT "current_user"(), "a.b" int, " " int, "A" int, a int, "COPY x FROM stdin;" int);
INSERT INTO "table" ("select") VALUES (1);
CREATE TABLE "two
lines" ("col
umn" int CONSTRAINT "che
ck" CHECK ("col
umn" > 0));
INSERT INTO "two
lines" VALUES (1);
CREATE INDEX "in
dex" ON "two
lines" ("col
umn");
COMMENT ON TABLE "two
lines" IS E'\n-- Name: false; Type: TABLE DATA; Schema: public; Owner: -\n\n\\.\n\\restrict x\n$$;';
CREATE VIEW "vi
ew" AS SELECT "col
umn" AS "as
is" FROM "two
lines";
CREATE FUNCTION "fun
ction"("ar
g" int) RETURNS text LANGUAGE sql AS E'SELECT ''\\.\n-- Name: x; Type: TABLE; Schema: s; Owner: o\nCOPY x FROM stdin;\n''';
CREATE SEQUENCE "se
quence" START 5; SELECT nextval(E'"se\nquence"');
CREATE SCHEMA "sche
ma"; CREATE TYPE "sche
ma"."ty
pe" AS ENUM ('la
bel');
CREATE TABLE U&"caf\00E9" (a int); CREATE TABLE U&"cafe\0301" (a int); INSERT INTO U&"caf\00E9" VALUES (1); INSERT INTO U&"cafe\0301" VALUES (2);
CREATE TABLE "Kept Too".xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx (yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy serial PRIMARY KEY);
CREATE TABLE "%s %(x)s {0} :name :'x'" ("%d" int); INSERT INTO "%s %(x)s {0} :name :'x'" VALUES (1);
CREATE TABLE "pg_dump" (a int); CREATE TABLE "-- Name" (a int); CREATE TABLE "back\slash" (a int); CREATE TABLE "quote""'$$" (a int);
CREATE FUNCTION "substring"(a text) RETURNS text LANGUAGE sql IMMUTABLE RETURN a;
CREATE FUNCTION "coalesce"(int) RETURNS int LANGUAGE sql AS 'SELECT 1';

-- Functions in defaults, checks, indexes, generated columns; of other schemas; found through their own path
CREATE FUNCTION "Kept Too".next_number() RETURNS int LANGUAGE sql AS 'SELECT 7';
CREATE FUNCTION known() RETURNS text LANGUAGE sql AS $$SELECT 'known'$$;
CREATE FUNCTION is_known(text) RETURNS bool LANGUAGE plpgsql SET search_path = kept AS 'BEGIN RETURN $1 = known(); END';
CREATE FUNCTION shortened(text) RETURNS text LANGUAGE sql IMMUTABLE BEGIN ATOMIC SELECT kept."substring"(left($1, 3)); END;
CREATE TABLE uses (
    a text CHECK (is_known(a)), b int DEFAULT "Kept Too".next_number(), c text GENERATED ALWAYS AS (shortened(a) || '!') STORED,
    d text DEFAULT shortened('abcdef')
);
INSERT INTO uses (a) VALUES ('known');
CREATE INDEX uses_shortened ON uses (shortened(a));
CREATE TABLE checks (
    a varchar(9) CHECK (a IN ('x', 'y')), b date CHECK (b BETWEEN '2020-01-01' AND DATE '2020-01-01' + 30), c text CHECK (c LIKE 'a%' OR c ~* '^b' OR c IS NULL),
    d int CHECK ((d, a) <> (1, 'x')), e text[] CHECK (e <@ ARRAY['a', 'b']::varchar[]::text[]), f interval DEFAULT '1 day', g jsonb DEFAULT '{}' CHECK (g ? 'a' IS NOT TRUE),
    CHECK (CASE WHEN d > 1 THEN a IS NOT NULL ELSE true END), CHECK (a IS DISTINCT FROM c), CHECK (num_nonnulls(a, b) < 3)
);

-- Views that are hard to write down
CREATE TABLE t1 (a int PRIMARY KEY, b text, c int); CREATE TABLE t2 (a int, d text, e int);
INSERT INTO t1 VALUES (1, 'x', 2), (2, 'y', NULL); INSERT INTO t2 VALUES (1, 'z', 3);
CREATE VIEW joined AS SELECT * FROM t1 NATURAL LEFT JOIN t2 AS other (a, dd);
CREATE VIEW using_alias AS SELECT x.a, l.b, r.d FROM t1 l JOIN t2 r USING (a) AS x;
CREATE VIEW renamed_join AS SELECT j.k, j."b b" FROM (t1 FULL JOIN t2 USING (a)) AS j (k, "b b", c, d, e);
CREATE VIEW lateral_view AS SELECT t1.*, s.n, f.o FROM t1, LATERAL (SELECT count(*) AS n FROM t2 WHERE t2.a = t1.a) s,
    ROWS FROM (generate_series(1, t1.a), unnest(ARRAY['a', 'b'])) WITH ORDINALITY AS f (g, u, o);
CREATE VIEW windows AS SELECT a, sum(c) OVER w, rank() OVER (w ROWS BETWEEN 1 PRECEDING AND CURRENT ROW EXCLUDE TIES) AS r,
    array_agg(b) FILTER (WHERE c > 0) OVER () IS NULL AS f FROM t1 WHERE false
    WINDOW w AS (PARTITION BY b ORDER BY a);
CREATE VIEW grouping_view AS SELECT a, b, grouping(a, b) AS g, percentile_cont(0.5) WITHIN GROUP (ORDER BY c) AS m FROM t1
    GROUP BY GROUPING SETS ((a), CUBE (a, b), ROLLUP (b), ()) HAVING array_agg(DISTINCT b ORDER BY b DESC NULLS LAST) FILTER (WHERE c > 0) IS NOT NULL;
CREATE VIEW with_ctes AS WITH RECURSIVE walk (a, b) AS MATERIALIZED (SELECT a, b FROM t1 UNION SELECT a + 1, b FROM walk WHERE a < 3)
    SEARCH DEPTH FIRST BY a SET ord CYCLE a SET is_cycle USING path SELECT a, b, is_cycle, ord::text AS o FROM walk;
CREATE VIEW set_operations AS (SELECT a FROM t1 INTERSECT ALL SELECT a FROM t2) EXCEPT (VALUES (1), (2) ORDER BY 1 LIMIT 1) ORDER BY a FETCH FIRST 2 ROWS WITH TIES;
CREATE VIEW odd_expressions AS SELECT ROW(1, 'a')::text, ARRAY[[1], [2]] AS arr, (t1).b AS field, t1.*::text AS whole, 'x' COLLATE "C" AS col,
    EXTRACT(year FROM now()) IS NULL AS ex, OVERLAY('abc' PLACING 'x' FROM 2) AS ov, TRIM(LEADING 'x' FROM b) AS tr, now() AT TIME ZONE 'UTC' < now() AS tz,
    a OPERATOR(pg_catalog.+) 1 AS op, (SELECT max(d) FROM t2) AS sub, a = ANY (ARRAY[1, 2]) AS of_any, a < ALL (SELECT e FROM t2) AS of_all, CURRENT_DATE IS NULL AS cd,
    NULLIF(a, 1) AS nul, GREATEST(a, c) AS gr, b SIMILAR TO 'x%' AS sim, interval '1' year AS y, int '4', (ARRAY[1, 2, 3])[2:] AS sl FROM t1;
CREATE VIEW sampled AS SELECT * FROM ONLY t1 TABLESAMPLE bernoulli (50) REPEATABLE (1);
CREATE VIEW whole_row_view AS SELECT t1 AS r, (t1).* FROM t1;
\if :with_xml
CREATE VIEW xml_forest AS SELECT xmlforest(a AS "A b", b), xmlpi(name x, 'y') FROM t1;
CREATE VIEW xml_table AS SELECT x.* FROM XMLTABLE(XMLNAMESPACES('urn:a' AS a), '/r' PASSING '<r/>' COLUMNS n FOR ORDINALITY, v int PATH '@v' DEFAULT 3) x WHERE false;
\endif
CREATE VIEW locked AS SELECT * FROM t1 FOR UPDATE OF t1 SKIP LOCKED;
ALTER TABLE t1 RENAME COLUMN b TO "renamed B"; ALTER TABLE t1 ADD COLUMN dropped int; ALTER TABLE t1 DROP COLUMN dropped;
CREATE VIEW has_rule AS SELECT a, c FROM t1;
CREATE RULE updates AS ON UPDATE TO has_rule DO INSTEAD (UPDATE t1 SET c = new.c WHERE a = old.a; INSERT INTO t2 VALUES (new.*, NULL) ON CONFLICT DO NOTHING);
CREATE RULE deletes AS ON DELETE TO has_rule WHERE old.a > 3 DO INSTEAD NOTHING;
CREATE RULE inserts AS ON INSERT TO t2 WHERE EXISTS (SELECT FROM t1 WHERE t1.a = new.a) DO ALSO UPDATE t1 SET c = v.x FROM (VALUES (1)) v (x) WHERE t1.a = new.a;
ALTER TABLE t2 DISABLE RULE inserts;
CREATE TABLE of_circle (a int); CREATE VIEW circle AS SELECT a FROM of_circle;
CREATE RULE to_circle AS ON INSERT TO of_circle DO INSTEAD SELECT count(*) FROM circle;
CREATE FUNCTION upserts(int) RETURNS SETOF t1 BEGIN ATOMIC
    INSERT INTO t1 (a, c) VALUES ($1, 2) ON CONFLICT (a) DO UPDATE SET c = excluded.c, ("renamed B") = (SELECT 'x') WHERE t1.a > 0 RETURNING *; END;
CREATE FUNCTION reads_views(place, VARIADIC int[]) RETURNS bigint BEGIN ATOMIC WITH del AS (DELETE FROM t2 WHERE false RETURNING *) SELECT count(*) FROM has_rule, del; END;
CREATE MATERIALIZED VIEW uses_function AS SELECT shortened(a) AS s, reads_nothing FROM uses, LATERAL (SELECT 1 AS reads_nothing) x;
CREATE MATERIALIZED VIEW of_matview AS SELECT * FROM uses_function;
CREATE UNIQUE INDEX of_matview_s ON of_matview (s);

-- Keys on partitions of partitions, indexes that were attached, inheritance in a diamond
CREATE TABLE top_parts (a int, b int, c text) PARTITION BY LIST (a);
CREATE TABLE mid_parts PARTITION OF top_parts FOR VALUES IN (1, 2) PARTITION BY RANGE (b);
CREATE TABLE low_part (c text, b int, a int);
ALTER TABLE mid_parts ATTACH PARTITION low_part FOR VALUES FROM (0) TO (10);
CREATE TABLE top_default PARTITION OF top_parts DEFAULT;
CREATE INDEX ON ONLY top_parts (b);
ALTER TABLE top_parts ADD CONSTRAINT top_key UNIQUE (a, b) DEFERRABLE;
ALTER TABLE top_parts ADD CONSTRAINT top_check CHECK (c <> '') NOT VALID;
ALTER TABLE top_parts ADD FOREIGN KEY (b) REFERENCES t1 ON DELETE CASCADE;
INSERT INTO top_parts VALUES (1, 1, 'x'), (2, 2, 'y'), (9, 1, 'z');
CREATE TABLE diamond (a int DEFAULT 1, b int); CREATE TABLE left_side (l int) INHERITS (diamond); CREATE TABLE right_side (r int) INHERITS (diamond);
CREATE TABLE bottom (a int DEFAULT 4 NOT NULL) INHERITS (left_side, right_side);
ALTER TABLE diamond ADD CONSTRAINT diamond_check CHECK (a > 0), ALTER b SET NOT NULL;
ALTER TABLE ONLY diamond ADD CONSTRAINT diamond_own CHECK (a < 100) NO INHERIT;
ALTER TABLE bottom DROP COLUMN IF EXISTS nothing; ALTER TABLE ONLY left_side ALTER a DROP DEFAULT;
INSERT INTO bottom (b) VALUES (1);
CREATE TABLE detached PARTITION OF top_parts FOR VALUES IN (5); ALTER TABLE top_parts DETACH PARTITION detached;
CREATE TABLE like_all (LIKE uses INCLUDING ALL);

\if :since_16
CREATE VIEW json_made AS SELECT JSON_OBJECT('a': 1, 'b': NULL ABSENT ON NULL) AS o, JSON_ARRAYAGG(a ORDER BY a) AS g, '{}' IS JSON OBJECT WITH UNIQUE KEYS AS i FROM t1;
\endif
\if :since_17
CREATE VIEW json_tables AS SELECT * FROM JSON_TABLE(jsonb '[{"a": 1}]', '$[*]' AS p COLUMNS (n FOR ORDINALITY, a int PATH '$.a' DEFAULT 4 ON EMPTY, NESTED '$.b[*]' COLUMNS (c text PATH '$')));
CREATE VIEW json_asked AS SELECT JSON_VALUE(jsonb '{"a": 1}', '$.a' RETURNING int) AS v, JSON_EXISTS(jsonb '1', '$.a' TRUE ON ERROR) AS e;
\endif
\if :since_18
CREATE FUNCTION returns_both() RETURNS int BEGIN ATOMIC UPDATE t1 SET c = 2 WHERE false RETURNING WITH (OLD AS before) before.c; END;
\endif
ANALYZE kept.t1, kept.moved_rows;

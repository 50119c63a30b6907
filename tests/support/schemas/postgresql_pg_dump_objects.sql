-- Copyright (c) 2026 vya.backupdb contributors
-- GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
-- SPDX-License-Identifier: GPL-3.0-or-later
--
-- The kinds of objects and of properties that pg_dump writes, one of each. Run it by psql with ON_ERROR_STOP in a new
-- UTF8 database of PostgreSQL 15 or newer, as a superuser; newer versions get what only they know. It makes roles and a
-- tablespace that begin with "objects".

SELECT current_setting('server_version_num')::int >= 160000 AS since_16,
       current_setting('server_version_num')::int >= 170000 AS since_17,
       current_setting('server_version_num')::int >= 180000 AS since_18 \gset

DO $roles$
DECLARE one text;
BEGIN
    FOREACH one IN ARRAY ARRAY['objects_owner', 'objects_reader', 'objects "odd" röle; --''', 'objects_select'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = one) THEN EXECUTE format('CREATE ROLE %I', one); END IF;
    END LOOP;
END
$roles$;
SET allow_in_place_tablespaces = on;
CREATE TABLESPACE objects_space LOCATION '';
RESET allow_in_place_tablespaces;
GRANT CREATE ON TABLESPACE objects_space TO objects_owner;
GRANT SET, ALTER SYSTEM ON PARAMETER log_min_duration_statement TO objects_reader;

CREATE SCHEMA dumped AUTHORIZATION objects_owner;
COMMENT ON SCHEMA dumped IS 'what a dump has';
CREATE SCHEMA "select" AUTHORIZATION "objects ""odd"" röle; --'";
GRANT USAGE, CREATE ON SCHEMA "select" TO objects_reader WITH GRANT OPTION;
SET search_path = dumped, public;

-- Languages, access methods, foreign data, extensions
CREATE FUNCTION called() RETURNS language_handler LANGUAGE c AS '$libdir/plpgsql', 'plpgsql_call_handler';
CREATE FUNCTION inlined(internal) RETURNS void LANGUAGE c STRICT AS '$libdir/plpgsql', 'plpgsql_inline_handler';
CREATE FUNCTION validated(oid) RETURNS void LANGUAGE c STRICT AS '$libdir/plpgsql', 'plpgsql_validator';
CREATE LANGUAGE odd_language HANDLER called INLINE inlined VALIDATOR validated;
CREATE TRUSTED LANGUAGE trusted_language HANDLER called;
ALTER LANGUAGE odd_language OWNER TO objects_owner;
COMMENT ON LANGUAGE odd_language IS 'plpgsql by another name';
REVOKE ALL ON LANGUAGE trusted_language FROM PUBLIC;
GRANT USAGE ON LANGUAGE trusted_language TO objects_reader;
CREATE ACCESS METHOD heap_again TYPE TABLE HANDLER heap_tableam_handler;
CREATE ACCESS METHOD gist_again TYPE INDEX HANDLER gisthandler;
COMMENT ON ACCESS METHOD gist_again IS 'gist by another name';
CREATE FOREIGN DATA WRAPPER nowhere OPTIONS (debug 'true', "Odd key" 'it''s');
ALTER FOREIGN DATA WRAPPER nowhere OWNER TO CURRENT_USER;
COMMENT ON FOREIGN DATA WRAPPER nowhere IS 'leads nowhere';
GRANT USAGE ON FOREIGN DATA WRAPPER nowhere TO objects_owner;
CREATE SERVER far TYPE 'none' VERSION '1.0 "x"' FOREIGN DATA WRAPPER nowhere OPTIONS (host 'h', dbname E'd\\n');
ALTER SERVER far OWNER TO objects_owner;
COMMENT ON SERVER far IS 'far away';
GRANT USAGE ON FOREIGN SERVER far TO objects_reader WITH GRANT OPTION;
CREATE USER MAPPING FOR PUBLIC SERVER far OPTIONS (user 'everybody');
CREATE USER MAPPING FOR objects_reader SERVER far OPTIONS (user 'reader', password 'x''y');
CREATE USER MAPPING FOR "objects ""odd"" röle; --'" SERVER far;
CREATE FOREIGN TABLE far_table (
    id int OPTIONS (column_name 'the id') NOT NULL, t text COLLATE "C" DEFAULT 'x', CONSTRAINT positive CHECK (id > 0)
) SERVER far OPTIONS (schema_name 's', "a b" 'c');
COMMENT ON FOREIGN TABLE far_table IS 'has no rows here';
COMMENT ON COLUMN far_table.id IS 'far id';
ALTER FOREIGN TABLE far_table ALTER COLUMN t SET STATISTICS 7;
GRANT SELECT (id) ON far_table TO objects_reader;

-- Types: shell, base, enum, composite, range, domains
CREATE TYPE shell_only;
CREATE TYPE made;
CREATE FUNCTION made_in(cstring) RETURNS made LANGUAGE internal IMMUTABLE STRICT AS 'int4in';
CREATE FUNCTION made_out(made) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'int4out';
CREATE TYPE made (
    INPUT = made_in, OUTPUT = made_out, INTERNALLENGTH = 4, ALIGNMENT = int4, STORAGE = plain, PASSEDBYVALUE,
    CATEGORY = 'N', DEFAULT = '7', DELIMITER = ';', COLLATABLE = false
);
ALTER TYPE made OWNER TO objects_owner;
COMMENT ON TYPE made IS 'an integer in disguise';
REVOKE USAGE ON TYPE made FROM PUBLIC;
GRANT USAGE ON TYPE made TO objects_reader;
CREATE TYPE long_made;
CREATE FUNCTION long_made_in(cstring) RETURNS long_made LANGUAGE internal IMMUTABLE STRICT AS 'textin';
CREATE FUNCTION long_made_out(long_made) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout';
CREATE TYPE long_made (
    INPUT = long_made_in, OUTPUT = long_made_out, INTERNALLENGTH = VARIABLE, STORAGE = extended, COLLATABLE = true,
    PREFERRED = false
);
CREATE TYPE colour AS ENUM ('red', 'it''s', '', 'grün', E'two\nlines');
ALTER TYPE colour ADD VALUE 'before all' BEFORE 'red';
ALTER TYPE colour OWNER TO "objects ""odd"" röle; --'";
COMMENT ON TYPE colour IS 'kinds of light';
CREATE TYPE no_labels AS ENUM ();
CREATE TYPE pair AS (a int, "b c" text COLLATE "C", c colour[]);
ALTER TYPE pair ADD ATTRIBUTE dropped int;
ALTER TYPE pair DROP ATTRIBUTE dropped;
COMMENT ON COLUMN pair."b c" IS 'the second';
CREATE TYPE empty_composite AS ();
CREATE FUNCTION text_distance(text, text) RETURNS double precision LANGUAGE sql IMMUTABLE
    RETURN (length($1) - length($2))::double precision;
CREATE TYPE text_span AS RANGE (
    SUBTYPE = text, COLLATION = "C", SUBTYPE_DIFF = text_distance, MULTIRANGE_TYPE_NAME = "text spans",
    SUBTYPE_OPCLASS = text_pattern_ops
);
GRANT USAGE ON TYPE text_span TO objects_reader;
REVOKE USAGE ON TYPE text_span FROM PUBLIC;
CREATE DOMAIN low AS int DEFAULT 1 NOT NULL CONSTRAINT low_positive CHECK (VALUE > 0) CONSTRAINT low_small CHECK (VALUE < 9);
COMMENT ON DOMAIN low IS 'one digit';
COMMENT ON CONSTRAINT low_small ON DOMAIN low IS 'below nine';
ALTER DOMAIN low ADD CONSTRAINT low_not_five CHECK (VALUE <> 5) NOT VALID;
CREATE DOMAIN lower_still AS low CHECK (VALUE < 5);
CREATE DOMAIN lows AS low[] CHECK (array_length(VALUE, 1) < 4);
CREATE DOMAIN pair_with_a AS pair CHECK ((VALUE).a IS NOT NULL);
CREATE DOMAIN c_text AS varchar(10) COLLATE "C" DEFAULT 'it''s' CHECK (VALUE ~ '^[a-z'']+$');
ALTER DOMAIN c_text OWNER TO objects_owner;
GRANT USAGE ON TYPE c_text TO objects_reader WITH GRANT OPTION;

-- Collations, conversions
CREATE COLLATION bytewise (provider = libc, lc_collate = 'C', lc_ctype = 'C');
CREATE COLLATION copied FROM "POSIX";
ALTER COLLATION bytewise OWNER TO objects_owner;
COMMENT ON COLLATION bytewise IS 'by bytes';
CREATE CONVERSION latin FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
CREATE DEFAULT CONVERSION default_latin FOR 'UTF8' TO 'LATIN1' FROM utf8_to_iso8859_1;
ALTER CONVERSION latin OWNER TO objects_owner;
COMMENT ON CONVERSION latin IS 'another one';

-- Functions, procedures, aggregates, casts, transforms
CREATE FUNCTION plain_sql(a int, b int DEFAULT 2 + 3, VARIADIC rest text[] DEFAULT '{}') RETURNS int LANGUAGE sql
    IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 7 AS 'SELECT $1 + $2';
CREATE FUNCTION with_out(IN a int, OUT b int, INOUT "c d" text) LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL RESTRICTED
    SET search_path = dumped, "select", pg_temp SET work_mem = '8MB' SET datestyle = 'ISO, DMY' SET application_name = 'it''s'
    AS $body$BEGIN b := a; -- a comment
END$body$;
CREATE FUNCTION rows_of(n int) RETURNS TABLE (x int, y text) LANGUAGE sql VOLATILE ROWS 17
    BEGIN ATOMIC SELECT g, g::text FROM generate_series(1, n) g; END;
CREATE FUNCTION set_of(n int) RETURNS SETOF pair LANGUAGE sql AS $_$ SELECT n, '$body$', NULL::dumped.colour[] $_$;
CREATE FUNCTION with_support(int, int) RETURNS SETOF int LANGUAGE internal IMMUTABLE STRICT ROWS 10
    SUPPORT generate_series_int4_support AS 'generate_series_int4';
CREATE FUNCTION row_number_again() RETURNS bigint LANGUAGE internal WINDOW AS 'window_row_number';
CREATE FUNCTION anything(anyelement, anycompatiblearray) RETURNS anyelement LANGUAGE sql AS 'SELECT $1';
CREATE FUNCTION in_odd_language() RETURNS int LANGUAGE odd_language AS 'BEGIN RETURN 1; END';
CREATE FUNCTION "select"."order""by"("limit" int DEFAULT plain_sql(1)) RETURNS int LANGUAGE sql AS 'SELECT $1';
ALTER FUNCTION with_out OWNER TO "objects ""odd"" röle; --'";
ALTER FUNCTION plain_sql(int, int, text[]) DEPENDS ON EXTENSION plpgsql;
COMMENT ON FUNCTION with_out IS E'gives\nback';
REVOKE ALL ON FUNCTION plain_sql FROM PUBLIC;
GRANT EXECUTE ON FUNCTION plain_sql TO objects_reader WITH GRANT OPTION;
CREATE PROCEDURE proceed(OUT b text, INOUT a int DEFAULT 1) LANGUAGE plpgsql AS 'BEGIN b := a; COMMIT; END';
CREATE PROCEDURE atomic_proceed(n int) BEGIN ATOMIC SELECT n; SELECT n + 1; END;
COMMENT ON PROCEDURE proceed IS 'goes on';
GRANT EXECUTE ON PROCEDURE proceed TO objects_reader;
CREATE AGGREGATE total(int) (
    SFUNC = int4_sum, STYPE = int8, SSPACE = 8, COMBINEFUNC = int8pl, INITCOND = '0', PARALLEL = safe,
    MSFUNC = int4_avg_accum, MINVFUNC = int4_avg_accum_inv, MSTYPE = int8[], MSSPACE = 16, MFINALFUNC = int2int4_sum,
    MINITCOND = '{0,0}'
);
CREATE FUNCTION keep_first(int, int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT COALESCE($1, $2)';
CREATE AGGREGATE first_of(int) (SFUNC = keep_first, STYPE = int);
CREATE AGGREGATE smallest(int) (SFUNC = int4smaller, STYPE = int, SORTOP = <);
CREATE AGGREGATE middle(double precision ORDER BY anyelement) (
    SFUNC = ordered_set_transition, STYPE = internal, FINALFUNC = percentile_disc_final, FINALFUNC_EXTRA,
    FINALFUNC_MODIFY = read_write
);
CREATE AGGREGATE rank_again(VARIADIC "any" ORDER BY VARIADIC "any") (
    SFUNC = ordered_set_transition_multi, STYPE = internal, FINALFUNC = rank_final, FINALFUNC_EXTRA, HYPOTHETICAL
);
COMMENT ON AGGREGATE middle(double precision ORDER BY anyelement) IS 'in order';
ALTER AGGREGATE total(int) OWNER TO objects_owner;
REVOKE ALL ON FUNCTION first_of(int) FROM PUBLIC;
CREATE FUNCTION colour_to_int(colour) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT length($1::text)';
CREATE CAST (colour AS int) WITH FUNCTION colour_to_int(colour) AS ASSIGNMENT;
CREATE CAST (made AS int) WITHOUT FUNCTION AS IMPLICIT;
CREATE CAST (pair AS text) WITH INOUT;
CREATE CAST (int AS made) WITHOUT FUNCTION;
COMMENT ON CAST (colour AS int) IS 'its length';
CREATE TRANSFORM FOR int LANGUAGE sql (FROM SQL WITH FUNCTION prsd_lextype(internal), TO SQL WITH FUNCTION int4recv(internal));
CREATE TRANSFORM FOR int LANGUAGE odd_language (FROM SQL WITH FUNCTION prsd_lextype(internal));
COMMENT ON TRANSFORM FOR int LANGUAGE odd_language IS 'turned';

-- Operators, classes, families
CREATE FUNCTION made_lt(made, made) RETURNS bool LANGUAGE internal IMMUTABLE STRICT AS 'int4lt';
CREATE FUNCTION made_le(made, made) RETURNS bool LANGUAGE internal IMMUTABLE STRICT AS 'int4le';
CREATE FUNCTION made_eq(made, made) RETURNS bool LANGUAGE internal IMMUTABLE STRICT AS 'int4eq';
CREATE FUNCTION made_ne(made, made) RETURNS bool LANGUAGE internal IMMUTABLE STRICT AS 'int4ne';
CREATE FUNCTION made_ge(made, made) RETURNS bool LANGUAGE internal IMMUTABLE STRICT AS 'int4ge';
CREATE FUNCTION made_gt(made, made) RETURNS bool LANGUAGE internal IMMUTABLE STRICT AS 'int4gt';
CREATE FUNCTION made_cmp(made, made) RETURNS int LANGUAGE internal IMMUTABLE STRICT AS 'btint4cmp';
CREATE FUNCTION made_hash(made) RETURNS int LANGUAGE internal IMMUTABLE STRICT AS 'hashint4';
CREATE OPERATOR < (FUNCTION = made_lt, LEFTARG = made, RIGHTARG = made, COMMUTATOR = >, NEGATOR = >=,
    RESTRICT = scalarltsel, JOIN = scalarltjoinsel);
CREATE OPERATOR <= (FUNCTION = made_le, LEFTARG = made, RIGHTARG = made, COMMUTATOR = >=, NEGATOR = >);
CREATE OPERATOR = (FUNCTION = made_eq, LEFTARG = made, RIGHTARG = made, COMMUTATOR = =, NEGATOR = <>,
    RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES);
CREATE OPERATOR <> (FUNCTION = made_ne, LEFTARG = made, RIGHTARG = made, COMMUTATOR = <>, NEGATOR = =);
CREATE OPERATOR >= (FUNCTION = made_ge, LEFTARG = made, RIGHTARG = made, COMMUTATOR = <=, NEGATOR = <);
CREATE OPERATOR > (FUNCTION = made_gt, LEFTARG = made, RIGHTARG = made, COMMUTATOR = <, NEGATOR = <=);
CREATE OPERATOR "select".@#@ (FUNCTION = factorial, RIGHTARG = bigint);
-- Its partner is named and never made.
CREATE OPERATOR ==> (FUNCTION = int4gt, LEFTARG = int, RIGHTARG = int, COMMUTATOR = <==);
ALTER OPERATOR "select".@#@ (NONE, bigint) OWNER TO objects_owner;
COMMENT ON OPERATOR = (made, made) IS 'the same';
CREATE OPERATOR FAMILY made_family USING btree;
CREATE OPERATOR CLASS made_ops DEFAULT FOR TYPE made USING btree FAMILY made_family AS
    OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
    FUNCTION 1 made_cmp(made, made), FUNCTION 4 (made, made) btequalimage(oid);
CREATE OPERATOR CLASS made_hash_ops DEFAULT FOR TYPE made USING hash AS OPERATOR 1 =, FUNCTION 1 made_hash(made);
CREATE OPERATOR FAMILY loose_family USING btree;
ALTER OPERATOR FAMILY loose_family USING btree ADD
    OPERATOR 1 < (bigint, int), OPERATOR 2 <= (bigint, int), OPERATOR 3 = (bigint, int), FUNCTION 1 (bigint, int) btint84cmp(bigint, int);
CREATE OPERATOR FAMILY "empty family" USING gin;
CREATE OPERATOR CLASS point_again FOR TYPE box USING gist_again AS STORAGE box, OPERATOR 3 &&,
    FUNCTION 1 gist_box_consistent(internal, box, smallint, oid, internal), FUNCTION 2 gist_box_union(internal, internal),
    FUNCTION 5 gist_box_penalty(internal, internal, internal), FUNCTION 6 gist_box_picksplit(internal, internal),
    FUNCTION 7 gist_box_same(box, box, internal);
ALTER OPERATOR CLASS made_ops USING btree OWNER TO objects_owner;
ALTER OPERATOR FAMILY loose_family USING btree OWNER TO objects_owner;
COMMENT ON OPERATOR CLASS made_ops USING btree IS 'ordered';
COMMENT ON OPERATOR FAMILY loose_family USING btree IS 'loose';

-- Text search
CREATE TEXT SEARCH TEMPLATE template_again (INIT = dsimple_init, LEXIZE = dsimple_lexize);
CREATE TEXT SEARCH PARSER parser_again (
    START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end, LEXTYPES = prsd_lextype, HEADLINE = prsd_headline
);
CREATE TEXT SEARCH DICTIONARY dictionary (TEMPLATE = template_again, accept = 'false', stopwords = 'english');
CREATE TEXT SEARCH CONFIGURATION configuration (PARSER = parser_again);
ALTER TEXT SEARCH CONFIGURATION configuration ADD MAPPING FOR asciiword, word WITH dictionary, english_stem;
ALTER TEXT SEARCH CONFIGURATION configuration OWNER TO objects_owner;
ALTER TEXT SEARCH DICTIONARY dictionary OWNER TO objects_owner;
COMMENT ON TEXT SEARCH TEMPLATE template_again IS 'template';
COMMENT ON TEXT SEARCH PARSER parser_again IS 'parser';
COMMENT ON TEXT SEARCH DICTIONARY dictionary IS 'dictionary';
COMMENT ON TEXT SEARCH CONFIGURATION configuration IS 'configuration';

-- Tables: properties of columns, of tables, of indexes
CREATE TABLE properties (
    id int GENERATED BY DEFAULT AS IDENTITY (SEQUENCE NAME "id of properties" MINVALUE -9 MAXVALUE 90 START -3 CYCLE CACHE 3),
    wide text COMPRESSION pglz, plain_text text, other text, dropped int, c colour DEFAULT 'red', m made, "when" text DEFAULT now()::text,
    far_default int DEFAULT "select"."order""by"(3),
    CONSTRAINT properties_key PRIMARY KEY (id) INCLUDE (c) WITH (fillfactor = 71),
    CONSTRAINT "odd ""check""" CHECK (id <> 4) NO INHERIT
) WITH (fillfactor = 75, autovacuum_enabled = false, toast.autovacuum_enabled = false, parallel_workers = 3, toast_tuple_target = 256);
ALTER TABLE properties ALTER COLUMN wide SET STORAGE EXTERNAL, ALTER COLUMN plain_text SET STORAGE MAIN,
    ALTER COLUMN wide SET STATISTICS 400, ALTER COLUMN other SET STATISTICS 0,
    ALTER COLUMN other SET (n_distinct = -0.5, n_distinct_inherited = 7), DROP COLUMN dropped,
    ADD CONSTRAINT not_valid CHECK (length(wide) < 9999) NOT VALID;
ALTER TABLE properties OWNER TO objects_owner;
CREATE UNIQUE INDEX properties_other ON properties (other NULLS FIRST, c DESC NULLS LAST) NULLS NOT DISTINCT WHERE other <> 'x';
CREATE INDEX properties_expression ON properties (lower(wide) text_pattern_ops, (id + 1)) INCLUDE (m) WITH (fillfactor = 55, deduplicate_items = off);
ALTER INDEX properties_expression ALTER COLUMN 1 SET STATISTICS 321;
ALTER INDEX properties_expression ALTER COLUMN 2 SET STATISTICS 0;
CREATE INDEX properties_brin ON properties USING brin (id int4_minmax_multi_ops (values_per_range = 16)) WITH (pages_per_range = 4, autosummarize = on);
CREATE INDEX properties_hash ON properties USING hash (m made_hash_ops) TABLESPACE objects_space;
CREATE INDEX properties_gin ON properties USING gin (to_tsvector('dumped.configuration'::regconfig, other)) WITH (fastupdate = off);
CREATE INDEX properties_box ON properties USING gist_again (box(point(id, id), point(id, id)) point_again);
CREATE UNIQUE INDEX properties_identity ON properties (id);
ALTER TABLE properties REPLICA IDENTITY USING INDEX properties_identity;
ALTER TABLE properties CLUSTER ON properties_key;
COMMENT ON TABLE properties IS 'with everything';
COMMENT ON COLUMN properties."when" IS 'not now';
COMMENT ON INDEX properties_expression IS 'two expressions';
COMMENT ON CONSTRAINT "odd ""check""" ON properties IS 'not four';
COMMENT ON CONSTRAINT properties_key ON properties IS 'the key';
COMMENT ON SEQUENCE "id of properties" IS 'counts';
INSERT INTO properties (wide, plain_text, other, m) SELECT repeat('wide', g), 'p' || g, nullif('o' || g, 'o3'), g::text::made FROM generate_series(1, 6) g;
GRANT SELECT (id, "when"), INSERT (wide), UPDATE (wide), REFERENCES (id) ON properties TO objects_reader;
GRANT SELECT ON properties TO objects_reader WITH GRANT OPTION;
GRANT TRUNCATE, TRIGGER ON properties TO PUBLIC;
REVOKE UPDATE (wide) ON properties FROM objects_reader;
CREATE TABLE rights_of_nobody (a int, b int);
REVOKE ALL ON rights_of_nobody FROM CURRENT_USER;
CREATE TABLE identity_full (a int);
ALTER TABLE identity_full REPLICA IDENTITY FULL;
CREATE TABLE identity_nothing (a int);
ALTER TABLE identity_nothing REPLICA IDENTITY NOTHING;
CREATE TABLE in_space (a int PRIMARY KEY USING INDEX TABLESPACE objects_space) TABLESPACE objects_space;
INSERT INTO in_space VALUES (1);
CREATE TABLE in_other_method (a int) USING heap_again;
INSERT INTO in_other_method VALUES (4);
CREATE UNLOGGED TABLE unlogged (a serial, b text);
INSERT INTO unlogged (b) VALUES ('kept');
CREATE UNLOGGED SEQUENCE unlogged_sequence;
CREATE TEMPORARY TABLE left_over (a int PRIMARY KEY);

-- COPY of odd tables
CREATE TABLE no_columns ();
INSERT INTO no_columns DEFAULT VALUES;
INSERT INTO no_columns DEFAULT VALUES;
CREATE TABLE dropped_all (a int);
INSERT INTO dropped_all VALUES (1), (2), (3);
ALTER TABLE dropped_all DROP COLUMN a;
CREATE TABLE generated_only (a int GENERATED ALWAYS AS (1 + 1) STORED);
INSERT INTO generated_only DEFAULT VALUES;
CREATE TABLE identity_only (a int GENERATED ALWAYS AS IDENTITY);
INSERT INTO identity_only DEFAULT VALUES;
CREATE TABLE generated_between (a int, "b c" int GENERATED ALWAYS AS (a * 2) STORED, d text DEFAULT 'd');
INSERT INTO generated_between VALUES (1, DEFAULT, E'\\.'), (2, DEFAULT, NULL), (3, DEFAULT, ''), (4, DEFAULT, E'\\N'), (5, DEFAULT, E'\b\f\n\r\t\v\\');
COMMENT ON COLUMN generated_between."b c" IS 'twice';

-- Tables of types, inheritance, partitions
CREATE TABLE of_type OF pair (a WITH OPTIONS NOT NULL DEFAULT 3, CONSTRAINT of_type_key PRIMARY KEY (a));
CREATE TABLE parent_1 (a int NOT NULL, b text DEFAULT 'parent', CONSTRAINT inherited CHECK (a > 0));
CREATE TABLE parent_2 (a int, c int, CONSTRAINT inherited CHECK (a > 0));
CREATE TABLE child_of_both (b text DEFAULT 'child', c int NOT NULL, d int) INHERITS (parent_1, parent_2);
ALTER TABLE child_of_both ALTER COLUMN a SET DEFAULT 5;
CREATE TABLE child_later (a int NOT NULL, b text, c int, d int, CONSTRAINT inherited CHECK (a > 0));
ALTER TABLE child_later INHERIT parent_1;
INSERT INTO child_of_both VALUES (1, 'x', 2, 3);
CREATE TABLE empty_child () INHERITS (parent_2);

CREATE TABLE parted (id int NOT NULL, at date NOT NULL, gone int, t text DEFAULT 'parted', PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
ALTER TABLE parted DROP COLUMN gone;
CREATE TABLE parted_1 PARTITION OF parted (t DEFAULT 'one', CONSTRAINT own CHECK (id < 999)) FOR VALUES FROM (MINVALUE) TO ('2025-01-01');
CREATE TABLE parted_2 (t text, other int, at date NOT NULL, id int NOT NULL);
ALTER TABLE parted_2 DROP COLUMN other;
ALTER TABLE parted ATTACH PARTITION parted_2 FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE parted_sub PARTITION OF parted FOR VALUES FROM ('2026-01-01') TO (MAXVALUE) PARTITION BY LIST (id);
CREATE TABLE parted_sub_a PARTITION OF parted_sub FOR VALUES IN (3, 5);
CREATE TABLE "select"."parted sub default" PARTITION OF parted_sub DEFAULT;
CREATE TABLE parted_text (t text) PARTITION BY LIST (lower(t) COLLATE "C" text_pattern_ops);
CREATE TABLE parted_text_a PARTITION OF parted_text FOR VALUES IN ('a', NULL, 'it''s');
INSERT INTO parted_text VALUES ('A'), (NULL), ('It''s');
CREATE TABLE parted_empty (k int) PARTITION BY HASH (k, (k + 1));
CREATE FOREIGN TABLE far_part PARTITION OF parted_empty FOR VALUES WITH (MODULUS 3, REMAINDER 1) SERVER far;
CREATE INDEX parted_t ON parted (t);
CREATE INDEX parted_only ON ONLY parted (at);
CREATE INDEX parted_2_at ON parted_2 (at);
ALTER INDEX parted_only ATTACH PARTITION parted_2_at;
CREATE INDEX parted_expression ON parted ((id + 1));
ALTER INDEX parted_expression ALTER COLUMN 1 SET STATISTICS 44;
ALTER TABLE parted_1 CLUSTER ON parted_1_pkey;
INSERT INTO parted VALUES (1, '2024-01-01', 'x'), (2, '2025-05-05', 'y'), (3, '2026-05-05', 'a'), (4, '2026-06-06', 'z'), (5, '2027-01-01', NULL);
COMMENT ON TABLE parted IS 'in parts';
GRANT SELECT ON parted_1 TO objects_reader;

-- Keys and constraints
CREATE TABLE keys (
    a int REFERENCES properties ON DELETE SET NULL ON UPDATE CASCADE DEFERRABLE INITIALLY DEFERRED, b int, at date,
    UNIQUE (a, b) DEFERRABLE, CONSTRAINT far_key FOREIGN KEY (b, at) REFERENCES parted MATCH FULL ON DELETE SET NULL,
    CONSTRAINT never_twice EXCLUDE USING gist (box(point(b, b), point(b, b)) WITH &&) WHERE (b > 0) DEFERRABLE INITIALLY DEFERRED
);
ALTER TABLE keys ADD CONSTRAINT not_valid_key FOREIGN KEY (b) REFERENCES properties NOT VALID;
ALTER TABLE keys ADD CONSTRAINT some_columns FOREIGN KEY (b, at) REFERENCES parted (id, at) ON DELETE SET NULL (at);
CREATE UNIQUE INDEX keys_later ON keys (at, b);
ALTER TABLE keys ADD CONSTRAINT keys_by_index UNIQUE USING INDEX keys_later;
COMMENT ON CONSTRAINT never_twice ON keys IS 'no two';
CREATE TABLE cycle_1 (id int PRIMARY KEY, other int);
CREATE TABLE cycle_2 (id int PRIMARY KEY, other int REFERENCES cycle_1);
ALTER TABLE cycle_1 ADD FOREIGN KEY (other) REFERENCES cycle_2;
INSERT INTO cycle_1 VALUES (1, NULL); INSERT INTO cycle_2 VALUES (1, 1); UPDATE cycle_1 SET other = 1;
CREATE TABLE itself (id int PRIMARY KEY, up int REFERENCES itself);
INSERT INTO itself VALUES (1, 2), (2, 1);

-- Sequences
CREATE SEQUENCE small AS smallint INCREMENT -2 MINVALUE -100 MAXVALUE 100 START 10 CACHE 4 CYCLE;
CREATE SEQUENCE owned OWNED BY keys.b;
ALTER SEQUENCE owned OWNER TO CURRENT_USER;
CREATE SEQUENCE called; SELECT setval('called', 77, false);
CREATE SEQUENCE at_end MAXVALUE 3; SELECT setval('at_end', 3);
GRANT USAGE, SELECT ON SEQUENCE small TO objects_reader;

-- Views
CREATE VIEW checked WITH (check_option = local, security_barrier = true) AS SELECT id, wide FROM properties WHERE id > 0;
CREATE VIEW cascaded WITH (security_invoker = true) AS SELECT * FROM checked WHERE id < 100 WITH CASCADED CHECK OPTION;
CREATE RECURSIVE VIEW counting (n) AS VALUES (1) UNION ALL SELECT n + 1 FROM counting WHERE n < 3;
CREATE VIEW whole_row AS SELECT p, p.id FROM properties p;
CREATE VIEW by_key AS SELECT id, wide, count(*) FROM properties GROUP BY id;
CREATE VIEW no_columns_view AS SELECT FROM properties;
ALTER VIEW checked ALTER COLUMN wide SET DEFAULT 'from the view';
ALTER VIEW checked OWNER TO objects_owner;
COMMENT ON VIEW checked IS 'looked at'; COMMENT ON COLUMN checked.id IS 'id again';
GRANT SELECT (id), UPDATE (wide) ON checked TO objects_reader;
CREATE VIEW circle AS SELECT 1 AS a; CREATE VIEW circle_2 AS SELECT a FROM circle;
CREATE OR REPLACE VIEW circle AS SELECT a FROM circle_2;
CREATE MATERIALIZED VIEW summed WITH (fillfactor = 80) AS SELECT at, count(*) AS n FROM parted GROUP BY at;
CREATE UNIQUE INDEX summed_at ON summed (at);
CREATE INDEX summed_part ON summed (n) WHERE n > 1;
CREATE MATERIALIZED VIEW a_nested AS SELECT sum(n) FROM summed;
CREATE MATERIALIZED VIEW summed_none AS SELECT * FROM a_nested WITH NO DATA;
ALTER MATERIALIZED VIEW summed ALTER COLUMN n SET STATISTICS 12;
ALTER MATERIALIZED VIEW summed CLUSTER ON summed_at;
ALTER MATERIALIZED VIEW summed OWNER TO CURRENT_USER;
COMMENT ON MATERIALIZED VIEW summed IS 'kept'; GRANT SELECT ON summed TO objects_reader;

-- Rules, triggers, event triggers
CREATE RULE instead AS ON INSERT TO checked DO INSTEAD INSERT INTO properties (wide) VALUES (new.wide) RETURNING id, wide;
CREATE RULE also AS ON UPDATE TO properties WHERE old.id <> new.id DO ALSO (INSERT INTO itself VALUES (new.id); DELETE FROM keys WHERE a = old.id);
CREATE RULE "notify" AS ON UPDATE TO identity_full DO ALSO NOTIFY "identity";
CREATE RULE never AS ON DELETE TO identity_nothing DO INSTEAD NOTHING;
ALTER TABLE properties DISABLE RULE also;
ALTER TABLE identity_nothing ENABLE ALWAYS RULE never;
COMMENT ON RULE also ON properties IS 'more';
CREATE FUNCTION changes_rows() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN IF tg_level = 'ROW' AND tg_when <> 'AFTER' THEN new.a := 99; END IF; RETURN new; END$$;
CREATE FUNCTION quiet() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TABLE triggered (a int, b text);
INSERT INTO triggered VALUES (1, 'kept as it is');
CREATE TRIGGER before_insert BEFORE INSERT ON triggered FOR EACH ROW EXECUTE FUNCTION changes_rows('one', E'it''s\nthree', '\x');
CREATE TRIGGER of_columns BEFORE UPDATE OF a, b ON triggered FOR EACH ROW WHEN (old.* IS DISTINCT FROM new.*) EXECUTE FUNCTION changes_rows();
CREATE TRIGGER with_tables AFTER UPDATE ON triggered REFERENCING OLD TABLE AS "old rows" NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION quiet();
CREATE TRIGGER truncated BEFORE TRUNCATE ON triggered EXECUTE FUNCTION quiet();
CREATE TRIGGER replica AFTER INSERT ON triggered FOR EACH ROW EXECUTE FUNCTION quiet();
CREATE TRIGGER always AFTER INSERT ON triggered FOR EACH ROW EXECUTE FUNCTION quiet();
CREATE CONSTRAINT TRIGGER checks AFTER INSERT ON triggered FROM properties DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION quiet();
ALTER TABLE triggered DISABLE TRIGGER truncated, ENABLE REPLICA TRIGGER replica, ENABLE ALWAYS TRIGGER always;
COMMENT ON TRIGGER always ON triggered IS 'always';
CREATE TRIGGER on_view INSTEAD OF INSERT ON by_key FOR EACH ROW EXECUTE FUNCTION quiet();
CREATE TRIGGER on_parts AFTER INSERT ON parted FOR EACH ROW EXECUTE FUNCTION quiet();
ALTER TABLE parted_2 DISABLE TRIGGER on_parts;
ALTER TABLE parted_1 ENABLE ALWAYS TRIGGER on_parts;
CREATE FUNCTION on_ddl() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''not in a restore''; END';
CREATE EVENT TRIGGER at_drop ON sql_drop WHEN TAG IN ('DROP TYPE', 'DROP SERVER') EXECUTE FUNCTION on_ddl();
CREATE EVENT TRIGGER at_rewrite ON table_rewrite EXECUTE FUNCTION on_ddl();
CREATE EVENT TRIGGER at_start ON ddl_command_start WHEN TAG IN ('SECURITY LABEL') EXECUTE FUNCTION on_ddl();
ALTER EVENT TRIGGER at_drop DISABLE; ALTER EVENT TRIGGER at_rewrite ENABLE REPLICA; ALTER EVENT TRIGGER at_start ENABLE ALWAYS;
COMMENT ON EVENT TRIGGER at_drop IS 'asleep';

-- Policies
CREATE TABLE guarded (a int, who text);
INSERT INTO guarded VALUES (1, 'x');
CREATE POLICY all_rows ON guarded USING (true) WITH CHECK (a > 0);
CREATE POLICY to_select ON guarded FOR SELECT TO objects_reader, PUBLIC USING (who = CURRENT_USER);
CREATE POLICY to_insert ON guarded FOR INSERT TO objects_reader, "objects ""odd"" röle; --'" WITH CHECK (a < 10);
CREATE POLICY to_update ON guarded FOR UPDATE USING (a IN (SELECT id FROM itself)) WITH CHECK (a <> 3);
CREATE POLICY "to delete" ON guarded AS RESTRICTIVE FOR DELETE TO objects_owner USING (a < 4);
ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
COMMENT ON POLICY to_insert ON guarded IS 'small ones';
CREATE TABLE forced (a int); ALTER TABLE forced FORCE ROW LEVEL SECURITY;

-- Statistics
CREATE STATISTICS all_kinds ON wide, other FROM properties;
CREATE STATISTICS one_kind (mcv) ON id, c FROM properties;
CREATE STATISTICS of_expression ON (id % 3), lower(wide) FROM properties;
ALTER STATISTICS all_kinds SET STATISTICS 345; ALTER STATISTICS one_kind SET STATISTICS 0;
ALTER STATISTICS one_kind OWNER TO objects_owner;
COMMENT ON STATISTICS one_kind IS 'common';

-- Publications and subscriptions
CREATE PUBLICATION nothing;
CREATE PUBLICATION everything FOR ALL TABLES WITH (publish = 'insert, truncate');
CREATE PUBLICATION through_root FOR TABLE parted WITH (publish_via_partition_root = true);
CREATE PUBLICATION some_rows FOR TABLE properties (id, wide) WHERE (id > 3), TABLE ONLY parent_1 WITH (publish = '');
CREATE PUBLICATION of_schema FOR TABLES IN SCHEMA "select", TABLE in_space WHERE (a > 2);
ALTER PUBLICATION nothing OWNER TO CURRENT_USER;
COMMENT ON PUBLICATION some_rows IS 'few';
CREATE SUBSCRIPTION quiet CONNECTION 'dbname=nowhere password=''it\''s''' PUBLICATION a, "b c" WITH (connect = false, slot_name = NONE, binary = true, streaming = true, synchronous_commit = off, disable_on_error = true, two_phase = true);
COMMENT ON SUBSCRIPTION quiet IS 'waits';

-- Large objects
SELECT lo_from_bytea(800001, '\x00ff10'), lo_from_bytea(800002, ''), lo_from_bytea(800003, 'three');
COMMENT ON LARGE OBJECT 800001 IS 'a picture'; ALTER LARGE OBJECT 800002 OWNER TO objects_owner;
GRANT SELECT, UPDATE ON LARGE OBJECT 800003 TO objects_reader WITH GRANT OPTION;

-- Default rights
ALTER DEFAULT PRIVILEGES FOR ROLE objects_owner IN SCHEMA dumped GRANT SELECT ON TABLES TO objects_reader WITH GRANT OPTION;
ALTER DEFAULT PRIVILEGES FOR ROLE objects_owner REVOKE EXECUTE ON ROUTINES FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE objects_owner REVOKE USAGE ON TYPES FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE "objects ""odd"" röle; --'" REVOKE ALL ON SEQUENCES FROM "objects ""odd"" röle; --'";
ALTER DEFAULT PRIVILEGES FOR ROLE objects_owner GRANT CREATE ON SCHEMAS TO PUBLIC;
ALTER DEFAULT PRIVILEGES IN SCHEMA "select" GRANT EXECUTE ON FUNCTIONS TO objects_reader;
REVOKE ALL ON SCHEMA public FROM PUBLIC; GRANT CREATE ON SCHEMA public TO objects_reader;
ALTER EXTENSION plpgsql SET SCHEMA pg_catalog;

\if :since_16
CREATE TABLE storage_said (a text STORAGE EXTERNAL, b int[] STORAGE MAIN);
CREATE SUBSCRIPTION with_origin CONNECTION 'dbname=nowhere' PUBLICATION a WITH (connect = false, slot_name = NONE, origin = none, run_as_owner = true, password_required = false, streaming = parallel);
\endif
\if :since_17
GRANT MAINTAIN ON identity_full TO objects_reader;
CREATE EVENT TRIGGER at_login ON login EXECUTE FUNCTION on_ddl();
ALTER EVENT TRIGGER at_login DISABLE;
CREATE SUBSCRIPTION with_failover CONNECTION 'dbname=nowhere' PUBLICATION a WITH (connect = false, slot_name = NONE, failover = true);
\endif
\if :since_18
CREATE TABLE named_not_null (a int CONSTRAINT "a is there" NOT NULL, b int CONSTRAINT not_below NOT NULL NO INHERIT, c int);
INSERT INTO named_not_null VALUES (1, 2, NULL);
ALTER TABLE named_not_null ADD CONSTRAINT c_not_valid NOT NULL c NOT VALID;
COMMENT ON CONSTRAINT "a is there" ON named_not_null IS 'named';
CREATE TABLE not_enforced (a int, CONSTRAINT loose CHECK (a > 0) NOT ENFORCED, b int REFERENCES itself NOT ENFORCED);
INSERT INTO not_enforced VALUES (-1, -1);
CREATE TABLE virtual (a int, b int GENERATED ALWAYS AS (a + 1) VIRTUAL, c int GENERATED ALWAYS AS (a + 2));
INSERT INTO virtual VALUES (1), (NULL);
CREATE TABLE only_virtual (b int GENERATED ALWAYS AS (4) VIRTUAL);
INSERT INTO only_virtual DEFAULT VALUES;
CREATE TABLE periods (id int4range, during daterange, CONSTRAINT periods_key PRIMARY KEY (id, during WITHOUT OVERLAPS));
INSERT INTO periods VALUES ('[1,2)', '[2026-01-01,2026-02-01)'), ('[1,2)', '[2026-02-01,)');
CREATE TABLE in_periods (id int4range, during daterange, FOREIGN KEY (id, PERIOD during) REFERENCES periods (id, PERIOD during));
INSERT INTO in_periods VALUES ('[1,2)', '[2026-01-15,2026-03-01)');
CREATE PUBLICATION with_generated FOR TABLE generated_between WITH (publish_generated_columns = stored);
ALTER DEFAULT PRIVILEGES FOR ROLE objects_owner GRANT SELECT ON LARGE OBJECTS TO objects_reader;
\endif

-- Of the database itself
DO $database$
BEGIN
    EXECUTE format('ALTER DATABASE %I SET datestyle = ''ISO, DMY''', current_database());
    EXECUTE format('ALTER ROLE "objects ""odd"" röle; --''" IN DATABASE %I SET work_mem = ''9MB''', current_database());
    EXECUTE format('COMMENT ON DATABASE %I IS E''two\nlines''', current_database());
    EXECUTE format('GRANT CREATE ON DATABASE %I TO objects_reader WITH GRANT OPTION', current_database());
    EXECUTE format('ALTER DATABASE %I OWNER TO "objects ""odd"" röle; --''"', current_database());
END
$database$;
ANALYZE dumped.properties, dumped.parted, dumped.summed;

-- Copyright (c) 2026 vya.backupdb contributors
-- GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
-- SPDX-License-Identifier: GPL-3.0-or-later
--
-- One of nearly everything that PostgreSQL 15 to 18 can keep in a database. Run it by psql with ON_ERROR_STOP in a new
-- UTF8 database, as a superuser. It makes the roles torture_owner and torture_reader when they are not there.

DO $roles$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'torture_owner') THEN CREATE ROLE torture_owner; END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'torture_reader') THEN CREATE ROLE torture_reader; END IF;
END
$roles$;

CREATE EXTENSION hstore;
CREATE EXTENSION postgres_fdw;
COMMENT ON EXTENSION hstore IS 'kept for the shop';

CREATE SCHEMA shop AUTHORIZATION torture_owner;
CREATE SCHEMA "Odd ""schema"". *?$";
COMMENT ON SCHEMA shop IS E'a comment with ''quotes'',\na line break and \\ a backslash';

-- Types
CREATE TYPE shop.mood AS ENUM ('sad', 'ok', 'it''s fine', 'glücklich');
CREATE DOMAIN shop.percent AS numeric(5, 2) DEFAULT 0 CHECK (VALUE >= 0 AND VALUE <= 100);
CREATE TYPE shop.address AS (street text, number integer, tags text[]);
CREATE TYPE shop.price_range AS RANGE (subtype = numeric);
CREATE COLLATION shop.bytewise (provider = libc, locale = 'C');

-- Tables
CREATE TABLE shop.customers (
    id bigint GENERATED ALWAYS AS IDENTITY (START WITH 100 INCREMENT BY 7) PRIMARY KEY,
    name text COLLATE shop.bytewise NOT NULL,
    mood shop.mood DEFAULT 'ok',
    discount shop.percent,
    home shop.address,
    attributes hstore,
    born date,
    seen timestamptz,
    loud text GENERATED ALWAYS AS (upper(name)) STORED,
    payload jsonb,
    CONSTRAINT customers_name_not_empty CHECK (length(name) > 0)
);
COMMENT ON COLUMN shop.customers.mood IS 'how they feel';
INSERT INTO shop.customers (name, mood, discount, home, attributes, born, seen, payload)
SELECT 'customer ' || n, (ARRAY['sad', 'ok', 'it''s fine', 'glücklich'])[1 + n % 4]::shop.mood, n % 100,
       ROW('Straße ' || n, n, ARRAY['a', 'b,c', NULL])::shop.address, hstore('n', n::text), DATE '1970-01-01' + n,
       TIMESTAMPTZ '2026-01-01 00:00:00+00' + n * INTERVAL '1 hour', jsonb_build_object('n', n, 'text', repeat('x', n % 50))
  FROM generate_series(1, 500) n;
INSERT INTO shop.customers (name) VALUES (E'tab\tnewline\nbackslash\\ quote'' \\. \\N'), ('😀 four bytes');

CREATE TABLE shop.orders (
    id serial,
    customer bigint NOT NULL REFERENCES shop.customers (id) ON DELETE CASCADE,
    placed date NOT NULL,
    amount numeric(12, 2) NOT NULL,
    PRIMARY KEY (id, placed)
) PARTITION BY RANGE (placed);
CREATE TABLE shop.orders_2025 PARTITION OF shop.orders FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE shop.orders_2026 PARTITION OF shop.orders FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')
    PARTITION BY HASH (id);
ALTER TABLE shop.orders_2026 ADD CONSTRAINT orders_2026_positive CHECK (amount >= 0);
CREATE TABLE shop.orders_2026_0 PARTITION OF shop.orders_2026 FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE shop.orders_2026_1 PARTITION OF shop.orders_2026 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE shop.orders_default PARTITION OF shop.orders DEFAULT;
INSERT INTO shop.orders (customer, placed, amount)
SELECT 100 + 7 * (n % 500), DATE '2025-06-01' + n, n * 1.25 FROM generate_series(0, 999) n;
CREATE INDEX orders_amount ON shop.orders (amount) INCLUDE (customer);

CREATE TABLE shop.parents (id integer PRIMARY KEY, note text);
CREATE TABLE shop.children (extra text) INHERITS (shop.parents);
INSERT INTO shop.parents VALUES (1, 'parent');
INSERT INTO shop.children VALUES (2, 'child', 'more');

CREATE TABLE shop.bytes (id integer PRIMARY KEY, every_byte bytea NOT NULL);
INSERT INTO shop.bytes
SELECT 1, decode(string_agg(lpad(to_hex(n), 2, '0'), '' ORDER BY n), 'hex') FROM generate_series(0, 255) n;
INSERT INTO shop.bytes VALUES (2, '\x'), (3, decode(repeat('00', 70000), 'hex'));

-- Rows of 1 MB that do not compress to nothing.
CREATE TABLE shop.big_rows (id integer PRIMARY KEY, content text NOT NULL, data bytea NOT NULL);
ALTER TABLE shop.big_rows ALTER COLUMN content SET STORAGE EXTERNAL;
INSERT INTO shop.big_rows
SELECT n, (SELECT string_agg(md5(n || ':' || m), '') FROM generate_series(1, 32768) m),
       (SELECT decode(string_agg(md5(m || '-' || n), ''), 'hex') FROM generate_series(1, 2048) m)
  FROM generate_series(1, 4) n;

CREATE TABLE shop.extremes (
    id integer PRIMARY KEY, f4 real, f8 double precision, n numeric, i interval, ts timestamp, r shop.price_range,
    a integer[][], u uuid, net inet, b bit varying, m money, p point, tsv tsvector
);
INSERT INTO shop.extremes VALUES
    (1, '-Infinity', 'NaN', 'NaN', '-178000000 years', '-infinity', '[1.5,)', '{{1,2},{3,NULL}}',
     '00000000-0000-0000-0000-000000000000', '::1/64', B'101', 12.34, '(1.1,-2.2)', 'fat:1A cat:2'),
    (2, 1e-45, 0.1, 123456789012345678901234567890.000000000000000000000001, '1 mon -1 day 00:00:00.000001', 'infinity',
     'empty', '{}', NULL, '10.0.0.1', B'', -0.01, NULL, '');

CREATE UNLOGGED TABLE shop.cache (key text PRIMARY KEY, value text);
INSERT INTO shop.cache VALUES ('k', 'v');

CREATE TABLE shop.no_columns ();
INSERT INTO shop.no_columns DEFAULT VALUES;

CREATE TABLE "Odd ""schema"". *?$"."Table ""with"" quotes. and.dots *?$+|()[]{}^\ 'n' ;--" (
    "Column ""x""" integer GENERATED BY DEFAULT AS IDENTITY, "select" text, "%s %(x)s {0}" text, dropped integer
);
ALTER TABLE "Odd ""schema"". *?$"."Table ""with"" quotes. and.dots *?$+|()[]{}^\ 'n' ;--" DROP COLUMN dropped;
INSERT INTO "Odd ""schema"". *?$"."Table ""with"" quotes. and.dots *?$+|()[]{}^\ 'n' ;--" ("select") VALUES ('one');
CREATE TABLE "Odd ""schema"". *?$"."line
break" (n integer);
INSERT INTO "Odd ""schema"". *?$"."line
break" VALUES (1), (2);
CREATE TABLE public."Upper" (n integer);
CREATE TABLE public.upper (n integer);
INSERT INTO public."Upper" VALUES (1);
INSERT INTO public.upper VALUES (1), (2), (3);
CREATE TABLE public."naïve_ключ_鍵" (n integer);
INSERT INTO public."naïve_ключ_鍵" VALUES (42);

-- Sequences that no column owns
CREATE SEQUENCE shop.free_sequence AS bigint START WITH 1000 INCREMENT BY -5 MINVALUE -1000000 MAXVALUE 1000 CYCLE;
SELECT nextval('shop.free_sequence'), nextval('shop.free_sequence');
CREATE SEQUENCE shop.untouched_sequence;

-- Views, routines, triggers, rules
CREATE VIEW shop.totals WITH (security_barrier) AS
    SELECT customer, sum(amount) AS total FROM shop.orders GROUP BY customer;
CREATE RECURSIVE VIEW shop.counting (n) AS VALUES (1) UNION ALL SELECT n + 1 FROM counting WHERE n < 5;
CREATE MATERIALIZED VIEW shop.monthly AS
    SELECT date_trunc('month', placed) AS month, count(*) AS orders FROM shop.orders GROUP BY 1;
CREATE UNIQUE INDEX monthly_month ON shop.monthly (month);
CREATE MATERIALIZED VIEW shop.never_filled AS SELECT 1 AS one WITH NO DATA;

CREATE FUNCTION shop.order_count(who bigint) RETURNS bigint LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = shop, pg_temp AS 'SELECT count(*) FROM orders WHERE customer = who';
CREATE FUNCTION shop.standard_body(a integer, b integer DEFAULT 2) RETURNS integer LANGUAGE sql IMMUTABLE
    RETURN a + b;
CREATE PROCEDURE shop.noop() LANGUAGE plpgsql AS $body$BEGIN NULL; END$body$;
CREATE AGGREGATE shop.total_of(integer) (SFUNC = int4pl, STYPE = integer, INITCOND = '0');
CREATE FUNCTION shop.same_sign(integer, integer) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT sign($1) = sign($2)';
CREATE OPERATOR shop.=~= (LEFTARG = integer, RIGHTARG = integer, FUNCTION = shop.same_sign, COMMUTATOR = OPERATOR(shop.=~=));
CREATE CAST (shop.address AS text) WITH INOUT;

CREATE TABLE shop.audit (at timestamptz NOT NULL, what text);
CREATE FUNCTION shop.note_change() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    INSERT INTO shop.audit VALUES ('2026-01-01 00:00:00+00', TG_OP || ' ' || TG_TABLE_NAME);
    RETURN COALESCE(NEW, OLD);
END
$body$;
CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE ON shop.parents
    FOR EACH ROW WHEN (pg_trigger_depth() < 5) EXECUTE FUNCTION shop.note_change();
ALTER TABLE shop.parents ENABLE ALWAYS TRIGGER note;
CREATE TRIGGER note_orders AFTER INSERT ON shop.orders FOR EACH ROW EXECUTE FUNCTION shop.note_change();
INSERT INTO shop.parents VALUES (3, 'seen by the trigger');
CREATE RULE no_delete AS ON DELETE TO shop.extremes DO INSTEAD NOTHING;

CREATE FUNCTION public.note_ddl() RETURNS event_trigger LANGUAGE plpgsql AS $body$BEGIN NULL; END$body$;
CREATE EVENT TRIGGER note_ddl ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION public.note_ddl();

CREATE STATISTICS shop.orders_statistics (dependencies, ndistinct) ON customer, placed FROM shop.orders;
CREATE TEXT SEARCH CONFIGURATION shop.plain (COPY = pg_catalog.simple);
ALTER TABLE shop.orders_2025 ADD CONSTRAINT orders_2025_once EXCLUDE USING btree (id WITH =);
CREATE PUBLICATION changes FOR TABLE shop.customers, shop.parents;

-- Row security
CREATE TABLE shop.secrets (id integer PRIMARY KEY, owner text NOT NULL, secret text);
INSERT INTO shop.secrets SELECT n, CASE n % 2 WHEN 0 THEN 'torture_reader' ELSE 'nobody' END, 's' || n
  FROM generate_series(1, 20) n;
ALTER TABLE shop.secrets ENABLE ROW LEVEL SECURITY;
ALTER TABLE shop.secrets FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON shop.secrets FOR SELECT TO PUBLIC USING (owner = current_user);

-- Foreign data: defined, never connected to
CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.1', port '1', dbname 'x');
CREATE USER MAPPING FOR torture_owner SERVER elsewhere OPTIONS (user 'far', password 'away');
CREATE FOREIGN TABLE shop.far_away (n integer) SERVER elsewhere OPTIONS (table_name 'far');

-- Large objects
SELECT lo_from_bytea(700001, decode(repeat('00ff10', 100000), 'hex')), lo_from_bytea(700002, ''::bytea);
SELECT lo_put(700002, 5000, '\xdeadbeef');
COMMENT ON LARGE OBJECT 700001 IS 'a picture';
ALTER LARGE OBJECT 700001 OWNER TO torture_owner;
GRANT SELECT ON LARGE OBJECT 700001 TO torture_reader;

-- Owners and rights
ALTER TABLE shop.customers OWNER TO torture_owner;
ALTER TABLE shop.secrets OWNER TO torture_owner;
GRANT USAGE ON SCHEMA shop TO torture_reader;
GRANT SELECT (id, name), UPDATE (name) ON shop.customers TO torture_reader WITH GRANT OPTION;
GRANT SELECT ON shop.orders, shop.secrets TO torture_reader;
GRANT EXECUTE ON FUNCTION shop.order_count(bigint) TO torture_reader;
REVOKE EXECUTE ON FUNCTION shop.standard_body(integer, integer) FROM PUBLIC;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
ALTER DEFAULT PRIVILEGES IN SCHEMA shop GRANT SELECT ON TABLES TO torture_reader;

-- Of the database itself: in no plain archive
DO $database$
BEGIN
    EXECUTE format('ALTER DATABASE %I SET work_mem = ''7MB''', current_database());
    EXECUTE format('ALTER DATABASE %I SET search_path = shop, "Odd ""schema"". *?$", public', current_database());
    EXECUTE format('ALTER ROLE torture_reader IN DATABASE %I SET statement_timeout = ''90s''', current_database());
    EXECUTE format('ALTER DATABASE %I CONNECTION LIMIT 50', current_database());
    EXECUTE format('COMMENT ON DATABASE %I IS ''it''''s the torture database''', current_database());
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT CONNECT, TEMPORARY ON DATABASE %I TO torture_reader WITH GRANT OPTION', current_database());
    EXECUTE format('ALTER DATABASE %I OWNER TO torture_owner', current_database());
END
$database$;

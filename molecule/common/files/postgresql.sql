CREATE DATABASE shop;
CREATE DATABASE "odd ""name; --";
\connect shop
CREATE TABLE customer (id integer PRIMARY KEY, name text NOT NULL, note text);
-- Nothing that could be compressed, so that a backup at a limited speed takes its time.
INSERT INTO customer
  SELECT n, 'Zoë ' || n, (SELECT string_agg(md5((n * 10 + i)::text), '') FROM generate_series(1, 10) AS i)
  FROM generate_series(1, 20000) AS n;
CREATE VIEW customer_names AS SELECT name FROM customer;
\connect "odd ""name; --"
CREATE TABLE t (id integer);
INSERT INTO t VALUES (1), (2);

CREATE DATABASE shop;
CREATE DATABASE "odd ""name; --";
\connect shop
CREATE TABLE customer (id integer PRIMARY KEY, name text NOT NULL, note text);
INSERT INTO customer SELECT n, 'Zoë ' || n, repeat(md5(n::text), 10) FROM generate_series(1, 5000) AS n;
CREATE VIEW customer_names AS SELECT name FROM customer;
\connect "odd ""name; --"
CREATE TABLE t (id integer);
INSERT INTO t VALUES (1), (2);

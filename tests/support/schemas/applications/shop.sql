-- Copyright (c) 2026 vya.backupdb contributors
-- GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
-- SPDX-License-Identifier: GPL-3.0-or-later
--
-- A shop: products, variants with attributes, orders that add up.
CREATE TYPE order_state AS ENUM ('cart', 'paid', 'sent', 'returned');
CREATE TABLE products (id bigserial PRIMARY KEY, sku varchar(40) UNIQUE, name text NOT NULL, price numeric(20, 6) CHECK (price >= 0));
CREATE TABLE eav_values (product bigint REFERENCES products ON DELETE CASCADE, attribute int, value text, PRIMARY KEY (product, attribute));
CREATE TABLE orders (id bigserial PRIMARY KEY, state order_state DEFAULT 'cart', placed timestamptz, note text);
CREATE TABLE lines (orders bigint REFERENCES orders, position smallint, product bigint REFERENCES products, amount int, total numeric, PRIMARY KEY (orders, position));
CREATE INDEX ON products (lower(name)) INCLUDE (price);
CREATE UNIQUE INDEX ON orders (placed DESC NULLS LAST) WHERE state = 'cart';
INSERT INTO products (sku, name, price) SELECT 'S-' || n, md5(n::text), n * 1.000001 FROM generate_series(1, 300) n;
INSERT INTO eav_values SELECT p, a, NULLIF(md5((p * a)::text), md5('12')) FROM generate_series(1, 300) p, generate_series(1, 3) a;
INSERT INTO orders (state, placed, note) SELECT (ARRAY['cart', 'paid', 'sent'])[1 + n % 3]::order_state, timestamptz 'epoch' + n * interval '1 hour', CASE n % 3 WHEN 0 THEN '' WHEN 1 THEN 'ä\t😀' END FROM generate_series(1, 200) n;
INSERT INTO lines SELECT o, p, o + p, 1, 12345678901234567890.123456789012345678901234567890 FROM generate_series(1, 200) o, generate_series(1, 2) p;
CREATE VIEW revenue WITH (security_barrier) AS SELECT state, sum(total) FROM orders JOIN lines ON orders.id = orders GROUP BY state;
GRANT SELECT (id, sku), UPDATE (name) ON products TO app_reader WITH GRANT OPTION;

-- Copyright (c) 2026 vya.backupdb contributors
-- GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
-- SPDX-License-Identifier: GPL-3.0-or-later
--
-- Billing: domains on domains, composite types with domains, checks by functions.
CREATE DOMAIN code AS varchar(8) CHECK (VALUE ~ '^[A-Z]+$');
CREATE DOMAIN strict_code AS code DEFAULT 'A' CONSTRAINT not_x CHECK (VALUE <> 'X');
CREATE TYPE price AS (amount numeric(12, 4), currency code);
CREATE DOMAIN positive_price AS price CHECK ((VALUE).amount >= 0);
CREATE TABLE invoices (id int PRIMARY KEY, total positive_price, codes strict_code[], CHECK ((total).currency IS NOT NULL));
CREATE TABLE payments OF price (amount NOT NULL);
ALTER DOMAIN code ADD CONSTRAINT short CHECK (length(VALUE) < 5) NOT VALID;
INSERT INTO invoices SELECT n, ROW(n / 3.0, 'EUR')::price, ARRAY['A', NULL, 'B']::strict_code[] FROM generate_series(1, 80) n;
INSERT INTO payments SELECT n, 'USD' FROM generate_series(1, 80) n;

-- Copyright (c) 2026 vya.backupdb contributors
-- GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
-- SPDX-License-Identifier: GPL-3.0-or-later
--
-- Accounting: foreign keys in a circle, deferrable constraints, an exclusion, domains.
CREATE EXTENSION btree_gist;
CREATE DOMAIN money_amount AS numeric(38, 10) CHECK (VALUE <> 'NaN') NOT NULL;
CREATE TABLE companies (id serial PRIMARY KEY, partner int, name text);
CREATE TABLE partners (id serial PRIMARY KEY, company int REFERENCES companies DEFERRABLE INITIALLY DEFERRED, name text);
ALTER TABLE companies ADD FOREIGN KEY (partner) REFERENCES partners DEFERRABLE INITIALLY DEFERRED;
CREATE TABLE periods (company int, span daterange, EXCLUDE USING gist (company WITH =, span WITH &&) DEFERRABLE);
CREATE TABLE entries (id bigserial, debit money_amount DEFAULT 0, credit money_amount DEFAULT 0, CHECK (debit * credit = 0), UNIQUE NULLS NOT DISTINCT (id));
BEGIN;
INSERT INTO companies (partner, name) SELECT n, 'c' FROM generate_series(1, 20) n;
INSERT INTO partners (company, name) SELECT n, 'p' FROM generate_series(1, 20) n;
COMMIT;
INSERT INTO periods SELECT c, daterange(date '2020-01-01' + y * 365, date '2020-01-01' + (y + 1) * 365) FROM generate_series(1, 20) c, generate_series(0, 5) y;
INSERT INTO periods VALUES (99, 'empty'), (98, '(,)'), (NULL, NULL);
INSERT INTO entries (debit) SELECT 9999999999999999999999999999.0123456789 - n FROM generate_series(1, 100) n;

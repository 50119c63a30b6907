-- Copyright (c) 2026 vya.backupdb contributors
-- GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
-- SPDX-License-Identifier: GPL-3.0-or-later
CREATE TABLE account (id int NOT NULL PRIMARY KEY, parent int, code varchar(20) NOT NULL, opening decimal(38, 10) NOT NULL DEFAULT 0, CONSTRAINT parent_account FOREIGN KEY (parent) REFERENCES account (id));
CREATE TABLE entry (id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY, debit int NOT NULL, credit int NOT NULL, amount decimal(38, 10) NOT NULL, rounded decimal(20, 2) GENERATED ALWAYS AS (ROUND(amount, 2)) STORED, booked date NOT NULL, note json, CONSTRAINT other_side CHECK (debit <> credit), CONSTRAINT d FOREIGN KEY (debit) REFERENCES account (id), CONSTRAINT c FOREIGN KEY (credit) REFERENCES account (id), KEY by_date (booked DESC, amount)) AUTO_INCREMENT = 18446744073709500000;
CREATE TABLE period (name varchar(10) PRIMARY KEY, first_day date NOT NULL, last_day date NOT NULL, CHECK (first_day <= last_day));
CREATE VIEW balance AS SELECT a.id, a.opening + COALESCE((SELECT SUM(amount) FROM entry e WHERE e.debit = a.id), 0) AS amount FROM account a;
CREATE VIEW tree AS WITH RECURSIVE t (id, depth) AS (SELECT id, 0 FROM account WHERE parent IS NULL UNION ALL SELECT a.id, t.depth + 1 FROM account a JOIN t ON a.parent = t.id) SELECT id, depth FROM t;
INSERT INTO account SELECT i, IF(i, (i - 1) DIV 3, NULL), LPAD(i, 6, '0'), i * -1.0000000001 FROM numbers WHERE i < 60 ORDER BY i;
INSERT INTO entry (debit, credit, amount, booked, note) SELECT i % 60, (i + 1) % 60, i * 1234567.8901234567, '2026-01-31', IF(i % 3, JSON_OBJECT('text', CONCAT('"', i, '" é 😀'), 'list', JSON_ARRAY(1, 2.5e0, NULL)), NULL) FROM numbers;
INSERT INTO period VALUES ('2026-01', '2026-01-01', '2026-01-31'), ('ever', '1000-01-01', '9999-12-31');

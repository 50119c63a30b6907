-- Copyright (c) 2026 vya.backupdb contributors
-- GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
-- SPDX-License-Identifier: GPL-3.0-or-later
CREATE SEQUENCE tickets START WITH 100 INCREMENT BY 7 MINVALUE 1 MAXVALUE 5000 CYCLE CACHE 3;
CREATE TABLE issued (id int NOT NULL DEFAULT (NEXT VALUE FOR tickets) PRIMARY KEY, who varchar(20));
CREATE TABLE salaries (person int, amount decimal(10, 2), note text WITHOUT SYSTEM VERSIONING) WITH SYSTEM VERSIONING;
CREATE TABLE kept (a int, row_from timestamp(6) GENERATED ALWAYS AS ROW START INVISIBLE, row_to timestamp(6) GENERATED ALWAYS AS ROW END INVISIBLE, PERIOD FOR SYSTEM_TIME (row_from, row_to)) WITH SYSTEM VERSIONING PARTITION BY SYSTEM_TIME (PARTITION old HISTORY, PARTITION now CURRENT);
CREATE TABLE rents (room int, first_day date, last_day date, PERIOD FOR stay (first_day, last_day), UNIQUE (room, stay WITHOUT OVERLAPS));
CREATE TABLE hidden (a int, b int INVISIBLE DEFAULT 5, c uuid, d inet6, e inet4, KEY k (a) IGNORED, KEY d_desc (b DESC)) ENGINE = Aria TRANSACTIONAL = 1;
CREATE TABLE packed (a text COMPRESSED, b varchar(200) COMPRESSED);
INSERT INTO issued (who) SELECT CONCAT('w', i) FROM numbers WHERE i < 20;
INSERT INTO salaries SELECT i, i * 1.01, 'first' FROM numbers WHERE i < 30;
UPDATE salaries SET amount = amount + 1 WHERE person % 2 = 0;
DELETE FROM salaries WHERE person % 5 = 0;
INSERT INTO kept VALUES (1), (2);
UPDATE kept SET a = 3 WHERE a = 1;
INSERT INTO rents VALUES (1, '2026-01-01', '2026-02-01'), (1, '2026-02-01', '2026-03-01');
INSERT INTO hidden (a, c, d, e) VALUES (1, '123e4567-e89b-12d3-a456-426655440000', '::ffff:192.0.2.1', '192.0.2.1');
INSERT INTO packed SELECT REPEAT('z', 2000), 'y' FROM numbers WHERE i < 10;
SET sql_mode = ORACLE;
DELIMITER //
CREATE PACKAGE tools AS FUNCTION f RETURN INT; PROCEDURE p(a INT); END;
//
CREATE PACKAGE BODY tools AS v INT := 1; FUNCTION f RETURN INT AS BEGIN RETURN v; END; PROCEDURE p(a INT) AS BEGIN SELECT a; END; END;
//
DELIMITER ;

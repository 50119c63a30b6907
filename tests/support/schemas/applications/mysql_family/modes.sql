-- Copyright (c) 2026 vya.backupdb contributors
-- GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
-- SPDX-License-Identifier: GPL-3.0-or-later
SET sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT,NO_BACKSLASH_ESCAPES';
CREATE TABLE "t" ("a" varchar(50) DEFAULT 'x\y', "b" varchar(60) AS ("a" || 'z') STORED);
INSERT INTO "t" ("a") SELECT 'q\' || i FROM numbers WHERE i < 20;
CREATE TRIGGER "tr" BEFORE INSERT ON "t" FOR EACH ROW SET NEW."a" = 'a\' || NEW."a";
CREATE FUNCTION "f"() RETURNS varchar(9) DETERMINISTIC RETURN 'a\' || 'b';
CREATE EVENT "e" ON SCHEDULE EVERY 1 HOUR STARTS '2031-01-01 00:00:00' DO INSERT INTO t (a) VALUES ('z\');
SET sql_mode = 'PAD_CHAR_TO_FULL_LENGTH,HIGH_NOT_PRECEDENCE,IGNORE_SPACE';
CREATE TABLE padded (a char(10), b tinyint);
INSERT INTO padded VALUES ('x', NOT 1 BETWEEN -5 AND 5), ('', 0);
CREATE PROCEDURE high() SELECT NOT 1 BETWEEN -5 AND 5;
SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO';
CREATE TABLE zero (id int AUTO_INCREMENT PRIMARY KEY, w varchar(9));
INSERT INTO zero VALUES (0, 'nought'), (-5, 'below'), (9, 'nine');
SET sql_mode = 'ALLOW_INVALID_DATES';
CREATE TABLE odd_dates (a date, b datetime);
INSERT INTO odd_dates VALUES ('2026-02-31', '2026-04-31 10:00:00'), ('2026-11-31', NULL);
SET sql_mode = '';
CREATE TABLE loose (a date NOT NULL DEFAULT '0000-00-00', b enum('x') NOT NULL, c timestamp NOT NULL DEFAULT '2026-01-01 00:00:00', d int NOT NULL);
INSERT INTO loose VALUES ('2020-00-00', 'zz', '2026-02-03 04:05:06', 'abc'), ('0000-00-00', '', '1970-01-02 00:00:00', 99999999999);

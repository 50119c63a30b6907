-- Copyright (c) 2026 vya.backupdb contributors
-- GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
-- SPDX-License-Identifier: GPL-3.0-or-later
DELIMITER //
CREATE PROCEDURE make_them() BEGIN DECLARE n int DEFAULT 0; WHILE n < 60 DO SET @s = CONCAT('CREATE TABLE module_', n, ' (id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY, course bigint NOT NULL DEFAULT 0, name varchar(255) NOT NULL DEFAULT '''', intro longtext, grade decimal(10,5), KEY modu', n, '_cou_ix (course)) ROW_FORMAT=', ELT(1 + n % 2, 'DYNAMIC', 'COMPACT'), ' COMMENT=''table ', n, ''''); PREPARE p FROM @s; EXECUTE p; IF n % 4 = 0 THEN SET @s = CONCAT('INSERT INTO module_', n, ' (course, name, grade) SELECT i, CONCAT(''m'', i), i / 3 FROM numbers WHERE i < ', n); PREPARE p FROM @s; EXECUTE p; END IF; SET n = n + 1; END WHILE; END//
DELIMITER ;
CALL make_them();

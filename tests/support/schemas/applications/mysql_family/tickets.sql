-- Copyright (c) 2026 vya.backupdb contributors
-- GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
-- SPDX-License-Identifier: GPL-3.0-or-later
CREATE TABLE ticket (id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY, tn varchar(50) NOT NULL UNIQUE, title varchar(255), queue int NOT NULL, escalation int NOT NULL DEFAULT 0, changed datetime NOT NULL);
CREATE TABLE article (id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY, ticket bigint NOT NULL, body mediumtext NOT NULL, CONSTRAINT FK_article FOREIGN KEY (ticket) REFERENCES ticket (id));
CREATE TABLE tally (day date PRIMARY KEY, closed int NOT NULL DEFAULT 0, CHECK (closed >= 0));
DELIMITER //
CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01 03:00:00' ON COMPLETION PRESERVE COMMENT 'closes ''old'' ones' DO BEGIN DELETE FROM article WHERE id < 0; INSERT INTO tally VALUES (CURRENT_DATE, 1) ON DUPLICATE KEY UPDATE closed = closed + 1; END//
CREATE EVENT once ON SCHEDULE AT '2037-12-31 23:59:59' DISABLE DO SET @done = 1//
CREATE PROCEDURE close_all(INOUT n int) BEGIN DECLARE done int DEFAULT 0; DECLARE t bigint; DECLARE c CURSOR FOR SELECT id FROM ticket; DECLARE CONTINUE HANDLER FOR NOT FOUND SET done = 1; OPEN c; again: LOOP FETCH c INTO t; IF done THEN LEAVE again; END IF; SET n = n + 1; END LOOP; CLOSE c; END//
CREATE FUNCTION age_of(t bigint) RETURNS int READS SQL DATA SQL SECURITY INVOKER BEGIN RETURN (SELECT TIMESTAMPDIFF(DAY, changed, '2026-12-31') FROM ticket WHERE id = t); END//
DELIMITER ;
INSERT INTO ticket (tn, title, queue, changed) SELECT CONCAT('2026', LPAD(i, 6, '0')), CONCAT('Re: ', REPEAT('🎫', i % 6)), i % 5, '2026-02-28 12:00:00' FROM numbers;
INSERT INTO article (ticket, body) SELECT id, REPEAT(CONCAT('> quoted', CHAR(13), CHAR(10)), id % 40) FROM ticket;
INSERT INTO tally VALUES ('2026-01-01', 0), ('9999-12-31', 2147483647), ('1000-01-01', 1);

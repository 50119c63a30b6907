-- Copyright (c) 2026 vya.backupdb contributors
-- GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
-- SPDX-License-Identifier: GPL-3.0-or-later
CREATE TABLE domains (id int NOT NULL AUTO_INCREMENT PRIMARY KEY, name varchar(255) NOT NULL UNIQUE, type varchar(6) NOT NULL, notified_serial int unsigned DEFAULT NULL) CHARACTER SET latin1;
CREATE TABLE records (id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY, domain_id int DEFAULT NULL, name varchar(255) DEFAULT NULL, type varchar(10) DEFAULT NULL, content text, disabled tinyint(1) DEFAULT 0, ordername varchar(255) BINARY DEFAULT NULL, KEY nametype (name, type), CONSTRAINT record_domain FOREIGN KEY (domain_id) REFERENCES domains (id)) CHARACTER SET latin1;
CREATE TABLE history (record_id bigint, old_content text, changed timestamp(6) NULL DEFAULT NULL) CHARACTER SET latin1;
CREATE FUNCTION is_host(kind varchar(10)) RETURNS tinyint DETERMINISTIC RETURN kind IN ('A', 'AAAA');
CREATE VIEW hosts AS SELECT r.name, r.content, d.name AS domain FROM records r JOIN domains d ON d.id = r.domain_id WHERE is_host(r.type);
CREATE VIEW a_summary AS SELECT domain, COUNT(*) AS hosts FROM hosts GROUP BY domain;
CREATE SQL SECURITY INVOKER VIEW z_recent AS SELECT * FROM a_summary UNION ALL SELECT name, 0 FROM domains;
DELIMITER //
CREATE TRIGGER keep_old BEFORE UPDATE ON records FOR EACH ROW IF NEW.content <> OLD.content THEN INSERT INTO history VALUES (OLD.id, OLD.content, '2026-01-01 00:00:00.000001'); END IF//
CREATE TRIGGER keep_older BEFORE UPDATE ON records FOR EACH ROW FOLLOWS keep_old SET NEW.name = LOWER(NEW.name)//
CREATE PROCEDURE bump(IN which int, OUT serial int unsigned) MODIFIES SQL DATA COMMENT 'raises "it"; -- really' BEGIN UPDATE domains SET notified_serial = COALESCE(notified_serial, 0) + 1 WHERE id = which; SELECT notified_serial INTO serial FROM domains WHERE id = which; END//
DELIMITER ;
INSERT INTO domains (name, type, notified_serial) SELECT CONCAT('d', i, '.example'), 'MASTER', 4294967295 - i FROM numbers WHERE i < 20;
INSERT INTO records (domain_id, name, type, content) SELECT 1 + i % 20, CONCAT('H', i, '.example'), ELT(1 + i % 3, 'A', 'TXT', 'AAAA'), ELT(1 + i % 3, '192.0.2.1', '"v=spf1 \\"a\\" -all; é"', '::1') FROM numbers;
UPDATE records SET content = CONCAT(content, ' ') WHERE id % 7 = 0;

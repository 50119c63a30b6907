-- Copyright (c) 2026 vya.backupdb contributors
-- GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
-- SPDX-License-Identifier: GPL-3.0-or-later
CREATE TABLE `a``b 'c" %s;--` (`x``y` int NOT NULL, `select` text, `é` int DEFAULT 7, `ж` int, ` lead` int, KEY `k``1 ;` (`x``y`), CONSTRAINT `c ''x` CHECK (`é` > 0)) COMMENT = 'it''s \\ "x"; -- /* no */';
CREATE TABLE `Case` (a int);
CREATE TABLE `case` (a int);
CREATE TABLE `order` (`group` int PRIMARY KEY, `by` varchar(10) DEFAULT 'it''s; ``', `limit` int REFERENCES `order` (`group`));
CREATE TABLE `日本 table` (`列` varchar(20) COMMENT '注; ''釈''');
CREATE TABLE `1e5` (a int);
CREATE TABLE `ends.with.dots` (a int, `b.c` int);
CREATE VIEW `v``w /*!*/` AS SELECT `x``y`, 'a''b;`c`' AS `lit"eral` FROM `a``b 'c" %s;--`;
CREATE VIEW `a first view` AS SELECT * FROM `v``w /*!*/`;
DELIMITER //
CREATE TRIGGER `t ;; r` BEFORE INSERT ON `a``b 'c" %s;--` FOR EACH ROW SET NEW.`é` = COALESCE(NEW.`é`, 1) //
CREATE PROCEDURE `p ;; x`(`in put` int) COMMENT 'a*/b' BEGIN SELECT '*/ ;; DELIMITER //', `in put`; END //
CREATE FUNCTION `f()`() RETURNS int DETERMINISTIC RETURN 1 //
CREATE EVENT `e ``v` ON SCHEDULE EVERY 1 YEAR STARTS '2031-01-01 00:00:00' DO SELECT `f()`() //
DELIMITER ;
INSERT INTO `a``b 'c" %s;--` VALUES (1, 'a\'b\\c\0d\n\Z', 2, 3, 4), (2, '-- not a comment\n/* nor this */; DELIMITER x', NULL, NULL, NULL);
INSERT INTO `Case` VALUES (1);
INSERT INTO `case` VALUES (2), (2);
INSERT INTO `order` VALUES (1, DEFAULT, NULL), (2, '', 1);
INSERT INTO `日本 table` VALUES ('値; `x`'), (NULL), ('');
INSERT INTO `ends.with.dots` VALUES (1, 2);

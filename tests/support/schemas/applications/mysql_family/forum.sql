-- Copyright (c) 2026 vya.backupdb contributors
-- GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
-- SPDX-License-Identifier: GPL-3.0-or-later
CREATE TABLE forums (id mediumint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY, parent mediumint unsigned NOT NULL DEFAULT 0, left_id mediumint unsigned NOT NULL, right_id mediumint unsigned NOT NULL, name varchar(255) COLLATE utf8mb4_bin NOT NULL DEFAULT '', parents mediumtext COLLATE utf8mb4_bin NOT NULL, KEY nested (left_id, right_id)) DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
CREATE TABLE topics (id int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY, board mediumint unsigned NOT NULL, title varchar(255) COLLATE utf8mb4_unicode_ci NOT NULL DEFAULT '', sticky tinyint(1) NOT NULL DEFAULT 0, FULLTEXT KEY title (title)) DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
CREATE TABLE words (id int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY, word varchar(190) COLLATE utf8mb4_bin NOT NULL, UNIQUE KEY (word)) DEFAULT CHARSET = utf8mb4;
CREATE TABLE sessions (id char(32) COLLATE utf8mb4_bin NOT NULL PRIMARY KEY, ip varbinary(16), data varbinary(300)) DEFAULT CHARSET = utf8mb4;
CREATE TABLE votes (topic int unsigned, voter int unsigned, ip varchar(40));
INSERT INTO forums (parent, left_id, right_id, name, parents) SELECT i DIV 3, i * 2, i * 2 + 1, CONCAT('Ä', i), CONCAT('a:', i) FROM numbers WHERE i < 30;
INSERT INTO topics (board, title, sticky) SELECT 1 + i % 30, CONCAT('Déjà vu ', i), i % 2 FROM numbers;
INSERT INTO words (word) SELECT CONCAT(IF(i % 2, 'STRASSE', 'straße'), i) FROM numbers WHERE i < 100;
INSERT INTO words (word) VALUES ('a'), ('A'), ('ä'), (' '), ('😀'), ('😁');
INSERT INTO sessions SELECT SUBSTR(SHA2(i, 256), 1, 32), UNHEX(LPAD(HEX(i), 32, '0')), CONCAT(CHAR(0), CHAR(26), CHAR(39), CHAR(92), CHAR(10), CHAR(255), i) FROM numbers WHERE i < 70;
INSERT INTO votes VALUES (1, 1, '::1'), (1, 1, '::1'), (1, 1, '::1'), (NULL, NULL, NULL), (NULL, NULL, NULL);

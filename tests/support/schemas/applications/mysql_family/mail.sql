-- Copyright (c) 2026 vya.backupdb contributors
-- GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
-- SPDX-License-Identifier: GPL-3.0-or-later
CREATE TABLE users (id int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY, username varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, mail_host varchar(128) NOT NULL, preferences longtext, created datetime NOT NULL DEFAULT '1000-01-01 00:00:00', failed int unsigned DEFAULT NULL, UNIQUE KEY username (username, mail_host)) DEFAULT CHARSET = utf8mb4;
CREATE TABLE messages (id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY, owner int unsigned NOT NULL, header blob, body longblob, size int GENERATED ALWAYS AS (OCTET_LENGTH(body)) STORED, CONSTRAINT owned FOREIGN KEY (owner) REFERENCES users (id) ON DELETE CASCADE ON UPDATE CASCADE);
CREATE TABLE aliases (address varchar(190) NOT NULL PRIMARY KEY, goto text NOT NULL, domain varchar(190) AS (SUBSTRING_INDEX(address, '@', -1)) VIRTUAL, KEY (domain), active tinyint(1) NOT NULL DEFAULT 1) COLLATE utf8mb4_general_ci;
CREATE TABLE quota (username varchar(190) NOT NULL PRIMARY KEY, bytes bigint NOT NULL DEFAULT 0, until_time time(6) NOT NULL DEFAULT '-838:59:59', seen year);
INSERT INTO users (username, mail_host, preferences) SELECT CONCAT('u', i), 'mx.example.org', IF(i % 2, NULL, 'a:1:{s:1:"x";b:0;}') FROM numbers WHERE i < 40;
INSERT INTO messages (owner, header, body) SELECT 1 + i % 40, CONCAT('From: =?UTF-8?Q?=C3=A4?=', CHAR(13), CHAR(10)), UNHEX(REPEAT(SHA2(i, 512), i % 90)) FROM numbers;
INSERT INTO messages (owner, body) VALUES (1, NULL), (2, ''), (3, REPEAT(CHAR(0), 70000));
INSERT INTO aliases (address, goto) SELECT CONCAT('a', i, '@d', i % 5, '.example'), 'x@y.example,z@y.example' FROM numbers WHERE i < 50;
INSERT INTO quota (username, bytes, until_time, seen) SELECT CONCAT('u', i), -9223372036854775808 + i, SEC_TO_TIME(i), IF(i % 3, 1901 + i, 0) FROM numbers WHERE i < 100;

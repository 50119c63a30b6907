-- Copyright (c) 2026 vya.backupdb contributors
-- GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
-- SPDX-License-Identifier: GPL-3.0-or-later
CREATE TABLE node (nid int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY, vid int unsigned DEFAULT NULL UNIQUE, kind varchar(32) CHARACTER SET ascii NOT NULL, uuid varchar(128) CHARACTER SET ascii NOT NULL UNIQUE, langcode varchar(12) CHARACTER SET ascii NOT NULL) DEFAULT CHARSET = utf8mb4 COMMENT = 'The base table for node''s "entities"';
CREATE TABLE node_body (nid int unsigned NOT NULL, delta int unsigned NOT NULL, body longtext NOT NULL, summary longtext, PRIMARY KEY (nid, delta), CONSTRAINT body_of_node FOREIGN KEY (nid) REFERENCES node (nid) ON DELETE CASCADE ON UPDATE RESTRICT) DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
CREATE TABLE cache_render (cid varchar(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '' PRIMARY KEY, data longblob, expire bigint NOT NULL DEFAULT 0, created decimal(14, 3) NOT NULL DEFAULT 0.000, serialized smallint NOT NULL DEFAULT 0, KEY expire (expire)) DEFAULT CHARSET = utf8mb4;
CREATE TABLE sequences (value int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY) AUTO_INCREMENT = 4711;
CREATE TABLE semaphore (name varchar(255) CHARACTER SET ascii NOT NULL PRIMARY KEY, expire double NOT NULL);
INSERT INTO node (vid, kind, uuid, langcode) SELECT i + 1000, ELT(1 + i % 2, 'article', 'page'), CONCAT(SUBSTR(SHA2(i, 256), 1, 32)), IF(i % 2, 'en', 'zh-hans') FROM numbers WHERE i < 80;
INSERT INTO node_body SELECT nid, nid % 3, CONCAT('Straße', CHAR(10), CHAR(9), 'ẞ', nid), NULL FROM node;
INSERT INTO cache_render SELECT CONCAT('entity:', i), UNHEX(SHA2(i, 512)), -1, i / 7, i % 2 FROM numbers;
INSERT INTO semaphore VALUES ('cron', 1700000000.123456789), ('tiny', 2.2250738585072014e-308), ('huge', 1.7976931348623157e308), ('minus', -0.0);

-- Copyright (c) 2026 vya.backupdb contributors
-- GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
-- SPDX-License-Identifier: GPL-3.0-or-later
CREATE TABLE page (page_id int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY, page_namespace int NOT NULL, page_title varbinary(255) NOT NULL, page_random double unsigned NOT NULL, page_touched binary(14) NOT NULL, UNIQUE KEY name_title (page_namespace, page_title), KEY page_random (page_random)) DEFAULT CHARSET = binary;
CREATE TABLE revision (rev_id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY, rev_page int unsigned NOT NULL, rev_sha1 varbinary(32) NOT NULL DEFAULT '', rev_deleted tinyint unsigned NOT NULL DEFAULT 0, KEY page_rev (rev_page, rev_id)) DEFAULT CHARSET = binary;
CREATE TABLE content (id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY, address varbinary(255) NOT NULL, flags tinyblob NOT NULL, old mediumblob NOT NULL) DEFAULT CHARSET = binary ROW_FORMAT = COMPRESSED;
CREATE TABLE links (l_from int unsigned NOT NULL DEFAULT 0, l_title varbinary(255) NOT NULL DEFAULT '', PRIMARY KEY (l_from, l_title), KEY back (l_title, l_from)) DEFAULT CHARSET = binary;
INSERT INTO page (page_namespace, page_title, page_random, page_touched) SELECT i % 4, CONCAT('Straße_', i, CHAR(0)), i / 301, '20260228235959' FROM numbers;
INSERT INTO revision (rev_page, rev_sha1) SELECT page_id, SUBSTR(SUBSTR(SHA2(page_id, 256), 1, 40), 1, 31) FROM page;
INSERT INTO content (address, flags, old) SELECT CONCAT('tt:', i), 'utf-8,gzip', UNHEX(REPEAT(SHA2(i, 256), 1 + i % 20)) FROM numbers WHERE i < 90;
INSERT INTO links SELECT i % 50, CONCAT('L', i) FROM numbers;
DELETE FROM page WHERE page_id % 11 = 0;

-- Copyright (c) 2026 vya.backupdb contributors
-- GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
-- SPDX-License-Identifier: GPL-3.0-or-later
SET sql_mode = '';
CREATE TABLE customers (id int NOT NULL AUTO_INCREMENT, name varchar(60) NOT NULL, born date NOT NULL DEFAULT '0000-00-00', pass char(40) BINARY, note text, PRIMARY KEY (id), KEY name (name(10))) ENGINE = MyISAM DEFAULT CHARSET = latin1 COLLATE = latin1_german2_ci PACK_KEYS = 1 CHECKSUM = 1 DELAY_KEY_WRITE = 1 AVG_ROW_LENGTH = 100 MAX_ROWS = 100000;
CREATE TABLE cp1251_texts (id int, t varchar(100), KEY (id)) ENGINE = MyISAM DEFAULT CHARSET = cp1251;
CREATE TABLE sjis_texts (id int, t varchar(100)) DEFAULT CHARSET = sjis;
CREATE TABLE gbk_texts (id int, t varchar(100)) DEFAULT CHARSET = gbk;
CREATE TABLE wide_texts (id int, t varchar(100) CHARACTER SET ucs2, u varchar(50) CHARACTER SET utf32, w varchar(50) CHARACTER SET utf16) DEFAULT CHARSET = latin1;
CREATE TABLE two_counters (area int NOT NULL, n int NOT NULL AUTO_INCREMENT, PRIMARY KEY (area, n)) ENGINE = MyISAM;
CREATE TABLE lookup (id int, v varchar(20), KEY USING HASH (id)) ENGINE = MEMORY;
CREATE TABLE one (a int, KEY (a)) ENGINE = MyISAM;
CREATE TABLE two (a int, KEY (a)) ENGINE = MyISAM;
CREATE TABLE both_of_them (a int, KEY (a)) ENGINE = MERGE UNION = (one, two) INSERT_METHOD = LAST;
CREATE TABLE lines_of_text (a int NOT NULL, b varchar(20) NOT NULL) ENGINE = CSV;
INSERT INTO customers (name, born, pass, note) SELECT CONCAT('Müller-', i), IF(i % 3, '1970-00-00', '1999-12-31'), SUBSTR(SHA2(i, 256), 1, 40), IF(i % 2, 'äöüß €', NULL) FROM numbers WHERE i < 90;
INSERT INTO cp1251_texts SELECT i, 'Привет, «мир»' FROM numbers WHERE i < 20;
INSERT INTO sjis_texts VALUES (1, 'ソ表能予'), (2, '十円');
INSERT INTO gbk_texts VALUES (1, '你好'), (2, CONVERT(X'815C' USING gbk));
INSERT INTO wide_texts VALUES (1, '日本', '😀x', '😀y'), (2, '', NULL, 'z');
INSERT INTO two_counters (area) VALUES (1), (1), (2), (1), (2);
INSERT INTO lookup SELECT i, CONCAT('v', i) FROM numbers WHERE i < 15;
INSERT INTO one VALUES (1), (2);
INSERT INTO two VALUES (3);
INSERT INTO lines_of_text VALUES (1, 'a,"b"'), (2, 'line\nbreak');

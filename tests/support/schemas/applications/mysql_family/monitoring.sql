-- Copyright (c) 2026 vya.backupdb contributors
-- GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
-- SPDX-License-Identifier: GPL-3.0-or-later
CREATE TABLE items (itemid bigint unsigned NOT NULL PRIMARY KEY, name varchar(255) NOT NULL DEFAULT '', params text NOT NULL, master bigint unsigned DEFAULT NULL, CONSTRAINT c_items_1 FOREIGN KEY (master) REFERENCES items (itemid) ON DELETE CASCADE) DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
CREATE TABLE history (itemid bigint unsigned NOT NULL, clock int NOT NULL DEFAULT 0, value double NOT NULL DEFAULT 0, ns int NOT NULL DEFAULT 0, PRIMARY KEY (itemid, clock, ns)) PARTITION BY RANGE (clock) (PARTITION p1 VALUES LESS THAN (100), PARTITION p2 VALUES LESS THAN (200), PARTITION rest VALUES LESS THAN MAXVALUE);
CREATE TABLE trends (itemid bigint unsigned NOT NULL, clock int NOT NULL, value_min double, value_avg double, value_max double, PRIMARY KEY (itemid, clock)) PARTITION BY HASH (itemid) PARTITIONS 4;
CREATE TABLE events_by_kind (id int NOT NULL, kind int NOT NULL, made datetime(3) NOT NULL, PRIMARY KEY (id, kind)) PARTITION BY LIST (kind) SUBPARTITION BY KEY (id) SUBPARTITIONS 2 (PARTITION a VALUES IN (0, 1), PARTITION b VALUES IN (2, 3));
CREATE TABLE by_month (made date NOT NULL, word varchar(20) NOT NULL, KEY (made)) PARTITION BY RANGE COLUMNS (made) (PARTITION old VALUES LESS THAN ('2025-01-01') COMMENT = 'it''s old', PARTITION new VALUES LESS THAN (MAXVALUE));
INSERT INTO items SELECT i, CONCAT('cpu[', i, ']'), REPEAT('x', i), IF(i, i DIV 2, NULL) FROM numbers ORDER BY i;
INSERT INTO history SELECT i % 10, i, i / 7, i FROM numbers;
INSERT INTO trends SELECT i, i * 3600, -i / 3, 0.1 * i, 1e100 * i FROM numbers;
INSERT INTO events_by_kind SELECT i, i % 4, '2026-02-28 23:59:59.999' FROM numbers;
INSERT INTO by_month SELECT IF(i % 2, '2024-02-29', '2026-02-28'), CONCAT('w', i) FROM numbers WHERE i < 60;
UPDATE items SET params = CONCAT(params, REPEAT('y', 500)) WHERE itemid % 3 = 0;

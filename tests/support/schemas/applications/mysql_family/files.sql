-- Copyright (c) 2026 vya.backupdb contributors
-- GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
-- SPDX-License-Identifier: GPL-3.0-or-later
CREATE TABLE filecache (fileid bigint NOT NULL AUTO_INCREMENT PRIMARY KEY, storage bigint NOT NULL DEFAULT 0, path varchar(4000) COLLATE utf8mb4_bin DEFAULT NULL, path_hash varchar(32) COLLATE utf8mb4_bin NOT NULL DEFAULT '', size bigint NOT NULL DEFAULT 0, etag varchar(40) COLLATE utf8mb4_bin DEFAULT NULL, UNIQUE KEY fs_storage_path_hash (storage, path_hash), KEY fs_storage_path_prefix (storage, path(64))) DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin ROW_FORMAT = DYNAMIC;
CREATE TABLE preferences (userid varchar(64) COLLATE utf8mb4_bin NOT NULL DEFAULT '', appid varchar(32) COLLATE utf8mb4_bin NOT NULL DEFAULT '', configkey varchar(64) COLLATE utf8mb4_bin NOT NULL DEFAULT '', configvalue longtext COLLATE utf8mb4_bin, PRIMARY KEY (userid, appid, configkey)) DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
CREATE TABLE file_locks (id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY, `lock` int NOT NULL DEFAULT 0, `key` varchar(64) COLLATE utf8mb4_bin NOT NULL, ttl int NOT NULL DEFAULT -1, UNIQUE KEY lock_key_index (`key`)) DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin AUTO_INCREMENT = 9223372036854775000;
INSERT INTO filecache (storage, path, path_hash, size, etag) SELECT i % 3, CONCAT('files/Фото/', REPEAT('a/', i), 'näme ', i, '.jpg'), SUBSTR(SHA2(i, 256), 1, 32), IF(i = 1, 9223372036854775807, -i), NULL FROM numbers;
INSERT INTO preferences SELECT CONCAT('user', i), 'core', ELT(1 + i % 3, 'lang', 'Lang', 'timezone'), IF(i % 5, '{"a": [1, "\\u00e9"]}', NULL) FROM numbers WHERE i < 100;
INSERT INTO file_locks (`lock`, `key`) VALUES (0, 'a'), (-1, 'A');

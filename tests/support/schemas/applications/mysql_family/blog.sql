-- Copyright (c) 2026 vya.backupdb contributors
-- GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
-- SPDX-License-Identifier: GPL-3.0-or-later
SET sql_mode = '';
CREATE TABLE posts (id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY, author bigint unsigned NOT NULL DEFAULT 0, made datetime NOT NULL DEFAULT '0000-00-00 00:00:00', content longtext NOT NULL, title text NOT NULL, state varchar(20) NOT NULL DEFAULT 'publish', slug varchar(200) NOT NULL DEFAULT '', KEY slug (slug(191)), KEY state_made (state, made, id), FULLTEXT KEY words (title, content)) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_520_ci;
CREATE TABLE post_meta (id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY, post bigint unsigned NOT NULL DEFAULT 0, k varchar(255) DEFAULT NULL, v longtext, KEY k (k(191)), KEY post (post)) DEFAULT CHARSET = utf8mb4;
CREATE TABLE options (name varchar(191) NOT NULL PRIMARY KEY, value longtext NOT NULL, autoload varchar(20) NOT NULL DEFAULT 'yes') DEFAULT CHARSET = utf8mb4;
INSERT INTO posts (author, made, content, title, state, slug) SELECT i % 7, IF(i % 5, '2026-02-28 23:59:59', '0000-00-00 00:00:00'), CONCAT('<p>Grüße 日本 😀 ', REPEAT('lorem "ipsum" \'dolor\' \\ ', i), '</p>'), CONCAT('Title №', i), ELT(1 + i % 3, 'publish', 'draft', 'trash'), CONCAT('slug-', i) FROM numbers WHERE i < 120;
INSERT INTO post_meta (post, k, v) SELECT i, CONCAT('_k', i % 9), IF(i % 4, CONCAT('a:1:{s:3:"key";i:', i, ';}'), NULL) FROM numbers;
INSERT INTO options VALUES ('cron', 'a:0:{}', 'no'), ('siteurl', 'https://example.org/?a=1&b=%20', 'yes'), ('empty', '', 'yes');

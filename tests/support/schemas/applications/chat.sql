-- Copyright (c) 2026 vya.backupdb contributors
-- GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
-- SPDX-License-Identifier: GPL-3.0-or-later
--
-- A chat: json properties, large texts, searching by expression.
CREATE TABLE channels (id varchar(26) PRIMARY KEY, props jsonb DEFAULT '{}', total bigint DEFAULT 0);
CREATE TABLE messages (id varchar(26) PRIMARY KEY, channel varchar(26) REFERENCES channels, message varchar(65535), reply_to varchar(26) REFERENCES messages ON UPDATE CASCADE, created bigint);
CREATE INDEX messages_search ON messages USING gin (to_tsvector('english', message));
CREATE INDEX ON messages (channel, created DESC) INCLUDE (reply_to);
INSERT INTO channels (id, props) SELECT 'c' || n, jsonb_build_object('k', E'\u2028', 'n', 1e-20) FROM generate_series(1, 30) n;
INSERT INTO messages SELECT 'm' || n, 'c' || 1 + n % 30, repeat(chr(128512 + n % 50), n), CASE WHEN n > 1 THEN 'm' || n - 1 END, n FROM generate_series(1, 400) n;
UPDATE channels c SET total = (SELECT count(*) FROM messages WHERE channel = c.id);

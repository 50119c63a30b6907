-- Copyright (c) 2026 vya.backupdb contributors
-- GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
-- SPDX-License-Identifier: GPL-3.0-or-later
--
-- Mail: large bodies in bytes, a text search of its own.
CREATE TEXT SEARCH DICTIONARY short_words (TEMPLATE = simple, STOPWORDS = english, ACCEPT = false);
CREATE TEXT SEARCH CONFIGURATION mail_words (PARSER = default);
ALTER TEXT SEARCH CONFIGURATION mail_words ADD MAPPING FOR asciiword, email WITH short_words, english_stem;
CREATE TABLE bodies (id int PRIMARY KEY, body bytea, head text, words tsvector, asked tsquery);
INSERT INTO bodies SELECT n, decode(repeat(md5(n::text), n * 30), 'hex'), E'From: x\r\n\r\n', to_tsvector('mail_words', 'mails a@b.example ' || n), 'a & !b:*A <-> c' FROM generate_series(1, 60) n;
INSERT INTO bodies VALUES (0, '', '', '', NULL);
CREATE INDEX ON bodies USING gist (words);
CREATE INDEX ON bodies USING hash (head);

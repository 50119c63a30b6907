-- Copyright (c) 2026 vya.backupdb contributors
-- GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
-- SPDX-License-Identifier: GPL-3.0-or-later
--
-- A forum: extensions for words and tags, functional indexes.
CREATE EXTENSION hstore;
CREATE EXTENSION pg_trgm;
CREATE EXTENSION unaccent SCHEMA pg_catalog;
CREATE TABLE topics (id serial PRIMARY KEY, title varchar NOT NULL, custom hstore DEFAULT ''::hstore, views int DEFAULT 0);
CREATE TABLE posts (topic int REFERENCES topics, number int, raw text, score float8, PRIMARY KEY (topic, number));
CREATE INDEX topics_title ON topics USING gist (lower(title) gist_trgm_ops (siglen = 32));
CREATE INDEX ON topics USING gin (custom);
CREATE INDEX ON posts USING gin (raw gin_trgm_ops) WHERE score > 0;
INSERT INTO topics (title, custom) SELECT 'Topic ' || n, hstore(ARRAY['a', n::text, 'b', NULL]) FROM generate_series(1, 100) n;
INSERT INTO posts SELECT t, p, md5((t * p)::text), (ARRAY['NaN', 'Infinity', '-Infinity', '-0', '1e-300', '0.1'])[1 + t % 6]::float8 FROM generate_series(1, 100) t, generate_series(1, 5) p;
ALTER TABLE topics ALTER COLUMN title SET STATISTICS 500, ALTER COLUMN title SET (n_distinct = -0.5);
CREATE TEXT SEARCH CONFIGURATION plain_words (COPY = simple);
ALTER TEXT SEARCH CONFIGURATION plain_words ALTER MAPPING FOR word WITH unaccent, simple;

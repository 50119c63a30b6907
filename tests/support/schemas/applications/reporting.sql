-- Copyright (c) 2026 vya.backupdb contributors
-- GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
-- SPDX-License-Identifier: GPL-3.0-or-later
--
-- Reports: materialized views on views on functions, and a circle of a view and a function.
CREATE TABLE facts (day date, n int);
INSERT INTO facts SELECT date '2024-01-01' + g % 60, g FROM generate_series(1, 600) g;
CREATE FUNCTION doubled(int) RETURNS int IMMUTABLE PARALLEL SAFE RETURN $1 * 2;
CREATE VIEW daily AS SELECT day, sum(doubled(n)) AS total FROM facts GROUP BY day;
CREATE MATERIALIZED VIEW monthly AS SELECT date_trunc('month', day) AS month, sum(total) AS total FROM daily GROUP BY 1;
CREATE UNIQUE INDEX ON monthly (month);
CREATE MATERIALIZED VIEW best AS SELECT max(total) AS best FROM monthly WITH NO DATA;
CREATE MATERIALIZED VIEW stale AS SELECT count(*) AS n FROM facts;
CREATE VIEW one AS SELECT 1 AS a;
CREATE FUNCTION of_one() RETURNS SETOF one BEGIN ATOMIC SELECT 1; END;
CREATE OR REPLACE VIEW one AS SELECT a FROM of_one();
CREATE TABLE keyed (id int PRIMARY KEY, v text);
CREATE VIEW by_key AS SELECT id, v, count(*) FROM keyed GROUP BY id;
CREATE RECURSIVE VIEW counted (n) AS VALUES (1) UNION ALL SELECT n + 1 FROM counted WHERE n < 5;

-- Copyright (c) 2026 vya.backupdb contributors
-- GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
-- SPDX-License-Identifier: GPL-3.0-or-later
--
-- Places without PostGIS: geometric types and their indexes.
CREATE TABLE places (id serial, at point, bounds box, outline polygon, way path, reach circle, edge lseg, grid line);
CREATE INDEX ON places USING gist (at);
CREATE INDEX ON places USING spgist (at);
CREATE INDEX ON places USING gist (outline) WITH (buffering = on);
INSERT INTO places (at, bounds, outline, way, reach, edge, grid) SELECT point(n / 3.0, -n), box(point(0, 0), point(n, n)), polygon(5, circle(point(n, n), 1)), CASE n % 2 WHEN 0 THEN path '[(0,0),(1,1)]' ELSE path '((0,0),(1,1))' END, circle(point(n, 0), 1e-200), lseg(point(0, 0), point(n, 1)), line '{1,2,3}' FROM generate_series(1, 100) n;
INSERT INTO places (at) VALUES ('(NaN,Infinity)'), ('(-0,0)'), (NULL);

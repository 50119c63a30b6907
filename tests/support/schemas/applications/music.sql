-- Copyright (c) 2026 vya.backupdb contributors
-- GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
-- SPDX-License-Identifier: GPL-3.0-or-later
--
-- Music: arrays with odd bounds, json as written, xml, money, composite types.
CREATE TYPE track AS (number int, title text, length interval);
CREATE TABLE albums (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), tracks track[], tags jsonb, written json, grid int[][], cover "char", price money, label xml, kinds regtype[]);
CREATE INDEX ON albums USING gin (tags jsonb_path_ops);
INSERT INTO albums SELECT md5(n::text)::uuid, ARRAY[ROW(n, 'a"b', NULL)::track, NULL], '{"a": 1.10, "b": [null]}', '{"b":1,  "a":1, "a":2}', '[0:1][-1:0]={{1,2},{3,NULL}}', 'x', n, '<a>ü</a>', '{int,text}' FROM generate_series(1, 80) n;
INSERT INTO albums (id, grid, tracks) VALUES (md5('e')::uuid, '{}', '{}');

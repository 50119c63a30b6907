-- Copyright (c) 2026 vya.backupdb contributors
-- GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
-- SPDX-License-Identifier: GPL-3.0-or-later
--
-- A calendar: ranges and multiranges, no overlap, intervals at the ends.
CREATE EXTENSION btree_gist;
CREATE TYPE clock_range AS RANGE (subtype = time, multirange_type_name = clock_ranges);
CREATE TABLE bookings (room int, during tstzrange NOT NULL, free clock_ranges, every interval, at timetz, EXCLUDE USING gist (room WITH =, during WITH &&) WHERE (room > 0));
INSERT INTO bookings SELECT n % 10, tstzrange(timestamptz 'epoch' + n * interval '1 day', timestamptz 'epoch' + (n + 1) * interval '1 day', '[)'), '{[09:00,12:00),[13:00,24:00]}', n * interval '1 mon -1 day 00:00:00.000001', '23:59:59.999999+15:59' FROM generate_series(1, 200) n;
INSERT INTO bookings VALUES (-1, 'empty', '{}', '-178000000 years', '00:00-15:59'), (-1, '(,infinity]', NULL, NULL, '24:00:00+00');

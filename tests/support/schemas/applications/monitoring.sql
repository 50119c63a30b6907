-- Copyright (c) 2026 vya.backupdb contributors
-- GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
-- SPDX-License-Identifier: GPL-3.0-or-later
--
-- Monitoring: partitions by time as numbers, wide updates, settings of storage.
CREATE TABLE hosts (id bigint PRIMARY KEY, name varchar(128) COLLATE "C", status int) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01, toast.autovacuum_enabled = false);
CREATE TABLE history (host bigint NOT NULL, clock int NOT NULL, value double precision, ns int) PARTITION BY RANGE (clock);
DO $$ BEGIN FOR i IN 0..9 LOOP EXECUTE format('CREATE TABLE history_%s PARTITION OF history FOR VALUES FROM (%s) TO (%s)', i, i * 100, (i + 1) * 100); END LOOP; END $$;
CREATE INDEX ON history USING brin (clock) WITH (pages_per_range = 16);
CREATE INDEX ON history (host, clock);
INSERT INTO hosts SELECT n, 'host' || n, 0 FROM generate_series(1, 200) n;
INSERT INTO history SELECT n % 200, n % 1000, n / 3.0::float8, n FROM generate_series(1, 3000) n;
UPDATE hosts SET name = name || '-renamed' WHERE id % 2 = 0;
UPDATE hosts SET status = 1 WHERE id % 3 = 0;
UPDATE history SET clock = (clock + 500) % 1000 WHERE ns % 7 = 0;
ALTER TABLE hosts CLUSTER ON hosts_pkey;

-- Copyright (c) 2026 vya.backupdb contributors
-- GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
-- SPDX-License-Identifier: GPL-3.0-or-later
--
-- Twenty tenants, each with the same tables in a schema of its own.
DO $$ BEGIN FOR i IN 1..20 LOOP
    EXECUTE format('CREATE SCHEMA tenant_%s AUTHORIZATION %s', i, (ARRAY['app_owner', 'app_writer'])[1 + i % 2]);
    EXECUTE format('CREATE TABLE tenant_%s.items (id serial PRIMARY KEY, v text)', i);
    EXECUTE format('CREATE TABLE tenant_%s.notes (item int REFERENCES tenant_%1$s.items, v text)', i);
    EXECUTE format('INSERT INTO tenant_%s.items (v) SELECT md5(n::text) FROM generate_series(1, %1$s * 3) n', i);
    EXECUTE format('INSERT INTO tenant_%s.notes SELECT id, v FROM tenant_%1$s.items', i);
    EXECUTE format('CREATE VIEW tenant_%s.joined AS SELECT i.v, n.v AS note FROM tenant_%1$s.items i JOIN tenant_%1$s.notes n ON n.item = i.id', i);
END LOOP; END $$;
CREATE PUBLICATION two_tenants FOR TABLES IN SCHEMA tenant_1, tenant_2 WITH (publish = 'insert');

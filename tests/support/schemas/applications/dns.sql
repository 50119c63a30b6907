-- Copyright (c) 2026 vya.backupdb contributors
-- GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
-- SPDX-License-Identifier: GPL-3.0-or-later
--
-- DNS: addresses of networks, checks, an owner without login.
CREATE TABLE domains (id serial PRIMARY KEY, name varchar(255) NOT NULL, CONSTRAINT lower_case CHECK (name::text = lower(name::text)));
CREATE TABLE records (id bigserial PRIMARY KEY, domain int REFERENCES domains ON DELETE CASCADE, content varchar(65535), ttl int, address inet, net cidr, mac macaddr, mac8 macaddr8, flags bit(5), more varbit);
CREATE INDEX ON records (domain, content varchar_pattern_ops);
CREATE INDEX ON records USING gist (address inet_ops);
INSERT INTO domains (name) SELECT 'd' || n || '.example' FROM generate_series(1, 50) n;
INSERT INTO records (domain, content, address, net, mac, mac8, flags, more) SELECT 1 + n % 50, repeat('x', n), '10.0.0.1/8', '2001:db8::/32', '08:00:2b:01:02:03', '08:00:2b:01:02:03:04:05', B'10101', (n::bit(16))::varbit FROM generate_series(1, 200) n;
ALTER TABLE records OWNER TO app_writer;
ALTER SEQUENCE domains_id_seq RESTART 5000;

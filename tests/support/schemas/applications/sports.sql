-- Copyright (c) 2026 vya.backupdb contributors
-- GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
-- SPDX-License-Identifier: GPL-3.0-or-later
--
-- Statistics of sports: shared sequences, identities, extended statistics, options of storage.
CREATE SEQUENCE shared AS smallint INCREMENT 3 START 7;
CREATE TABLE goals (id int DEFAULT nextval('shared'), who text COMPRESSION pglz);
CREATE TABLE cards (id int DEFAULT nextval('shared'), who text, at int GENERATED ALWAYS AS IDENTITY (INCREMENT BY -2 MAXVALUE 10 MINVALUE -1000));
CREATE STATISTICS by_both (ndistinct) ON who, (at % 7) FROM cards;
ALTER STATISTICS by_both SET STATISTICS 42;
ALTER TABLE goals ALTER who SET STORAGE MAIN, SET (toast_tuple_target = 256, parallel_workers = 3);
INSERT INTO goals (who) SELECT repeat('w', n * 20) FROM generate_series(1, 90) n;
INSERT INTO cards (who) SELECT 'w' || n % 9 FROM generate_series(1, 90) n;
CREATE SEQUENCE unused;
CREATE UNLOGGED SEQUENCE fleeting;
SELECT setval('unused', 9, false);
ALTER TABLE goals REPLICA IDENTITY FULL;

# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the options in `backup.options.DUMP_OPTIONS`."""

from __future__ import annotations


class ModuleDocFragment:
    """What is dumped, and so which rights and clients are needed."""

    DOCUMENTATION = r"""
options:
  jobs:
    description:
      - In how many parts one database is dumped at the same time. All parts are of the same snapshot.
    type: int
    default: 1
  jobs_min_size:
    description:
      - Databases that are smaller than this, such as V(256M), are dumped in one part whatever O(jobs) says.
        Several parts do not pay for them, since each client reads the definitions of all tables for itself.
      - V(0) for no such limit. The size is that of the database on the server.
    type: str
    default: 256M
  triggers:
    description:
      - Whether triggers are dumped (MySQL and MariaDB). Without them a backup is V(partial).
    type: bool
    default: true
  routines:
    description:
      - Whether stored procedures and functions are dumped (MySQL and MariaDB). Without them a backup is V(partial).
    type: bool
    default: true
  events:
    description:
      - Whether events are dumped (MySQL and MariaDB). Without them a backup is V(partial).
    type: bool
    default: true
  row_counts:
    description:
      - Whether the rows of every table are counted in the snapshot and kept in the manifest.
      - This makes a later comparison stronger, but reads every table once more.
    type: bool
    default: false
  fingerprints:
    description:
      - Whether a fingerprint of every table's content is taken in the snapshot and kept in the manifest.
      - This proves that a restored database equals the source, but reads every table once more.
    type: bool
    default: false
  allow_newer_client:
    description:
      - Whether a dump client that is newer than the server may be used when the server's own version is not installed.
      - The archive may then need that newer version to be restored, so this must be set explicitly.
    type: bool
    default: false
  include_tables:
    description:
      - Only these tables and views are backed up. Everything else of a database is as always, so functions, types,
        schemas and sequences are there as well.
      - Entries are names or patterns with C(*), C(?) and C([...]), compared with the names that the server has. Case
        counts. On PostgreSQL they are C(table), C(schema.table) or C(database.schema.table), on MySQL and MariaDB
        C(table) or C(database.table); a dot inside a name is matched by C(?). An entry that is exactly a name means
        that name.
      - A database that no entry can mean, because all of them name others, is backed up whole. An entry that means
        nothing in any database fails the run, and the others are backed up all the same.
      - On PostgreSQL partitions and tables that inherit go with their parents, and the parents of what is included come
        along.
      - A backup that leaves something out is V(complete) as asked, and says everywhere how much it is without.
    type: list
    elements: str
    default: []
  exclude_tables:
    description:
      - These tables, views and sequences are left out, with their triggers, and on PostgreSQL with their partitions,
        the tables that inherit from them, and their sequences. What O(include_tables) means is chosen before.
      - Entries as in O(include_tables). One that means nothing is warned of.
      - What is kept and needs one of them, such as a view or a foreign key, is warned of, in check mode as well, since
        a restore cannot bring it back.
      - Tables of extensions of PostgreSQL are made by these, so that only their rows are left out.
    type: list
    elements: str
    default: []
  exclude_table_data:
    description:
      - The rows of these tables are left out, and their definitions are not. Entries as in O(exclude_tables).
      - A materialized view of PostgreSQL then comes back without rows until somebody refreshes it.
    type: list
    elements: str
    default: []
  exclude_schemas:
    description:
      - These schemas are left out with everything in them (PostgreSQL). Entries are C(schema) or C(database.schema),
        with patterns as in O(include_tables).
      - MySQL and MariaDB have no schemas beside databases; leave those out with O(exclude).
    type: list
    elements: str
    default: []
"""

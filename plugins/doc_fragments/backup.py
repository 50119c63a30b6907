# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the options in `backup.options.RUN_OPTIONS`."""

from __future__ import annotations


class ModuleDocFragment:
    """Where a run stores its backups, how, and within which limits."""

    DOCUMENTATION = r"""
requirements:
  - Python library cryptography >= 3.4.8 (for O(encryption=age))
  - Python library zstandard or program C(zstd) (for O(compression=zstd))
  - Programs C(pg_dump) and C(pg_dumpall) of the server's major version (for PostgreSQL)
  - Program C(mariadb-dump) (for MariaDB)
  - Program C(mysqldump) of Oracle (for MySQL)
  - Program C(setpriv) (of util-linux)
options:
  accounts:
    description:
      - Whether users, roles and grants of the instance are backed up too.
    type: bool
    default: true
  allow_empty:
    description:
      - Whether a selection without any database is allowed. Otherwise it is an error.
    type: bool
    default: false
  repository:
    description:
      - Directory on the host under which backups are kept. It must exist and be an absolute path.
      - It is not created, because a missing one is most often a filesystem that is not mounted.
    type: path
    required: true
  host:
    description:
      - Name of the folder in the repository that stands for this host.
      - The default is the short host name. The role P(vya.backupdb.backup#role) passes C(inventory_hostname).
    type: str
  encryption:
    description:
      - How archives are encrypted. V(age) is the open age format (age-encryption.org/v1).
      - V(none) leaves everything readable for whoever gets hold of the files, so it must be set explicitly.
    type: str
    default: age
    choices: [age, none]
  recipients:
    description:
      - Public keys (C(age1...)) for which archives are encrypted. Each one alone can open them.
      - Two are recommended, one of them of an offline recovery key. M(vya.backupdb.age_keypair) makes keys.
      - With O(encryption=age), one of O(recipients) and O(passphrase) is needed, and not both.
    type: list
    elements: str
  passphrase:
    description:
      - Passphrase with which archives are encrypted instead of O(recipients).
      - The host then holds what opens its own backups. Prefer O(recipients).
      - If it is not given, the environment variable E(BACKUPDB_PASSPHRASE) on the host is used.
    type: str
  signing_key:
    description:
      - File on the host with the secret key with which backups are signed, such as M(vya.backupdb.signing_key) makes.
        It must be readable for the user who makes the backups, and for nobody else.
      - With it every backup gets the signature C(manifest.json.sig), so that whoever restores can demand with
        C(signed_by) that this host made it.
    type: path
  compression:
    description:
      - How archives are compressed.
    type: str
    default: zstd
    choices: [zstd, gzip, none]
  compression_level:
    description:
      - Level of the compression. The default is a fast level of the method.
    type: int
  compression_threads:
    description:
      - Threads that compress one archive (V(zstd) only).
    type: int
    default: 1
  workers:
    description:
      - How many databases are dumped at the same time.
      - The default is V(2), or V(1) on a host with a single processor.
    type: int
  skip_if_newer_than:
    description:
      - Skip a database whose newest backup is younger than this, such as V(12h), V(30m) or V(2d).
      - A second run after a failed one then does only what is missing.
    type: str
  timeout:
    description:
      - Longest time for one database, such as V(6h). A database that takes longer fails; the others go on.
      - The default is no limit.
    type: str
  db_lock_timeout:
    description:
      - Longest time to wait for a lock of the database server, such as V(60s).
    type: str
    default: 60s
  repository_lock_timeout:
    description:
      - Longest time to wait while another run on the same instance and repository is in progress.
      - With V(0s) the second run fails at once and says who holds the lock.
    type: str
    default: 0s
  nice:
    description:
      - How much the dump clients and compressors give way to other processes, from V(0) to V(19).
    type: int
    default: 0
  bandwidth_limit:
    description:
      - Maximum of bytes per second that the run writes into the repository, such as V(50M).
    type: str
  retry_after:
    description:
      - Databases that failed are tried once more this long after all others have ended, such as V(5m).
      - The default is not to try again. Neither a missing privilege nor a O(timeout) that was reached is tried again.
    type: str
  hooks:
    description:
      - Commands and SQL statements around the run, and around each of its databases, in their order.
      - Commands run on the host as the user who makes the backups. They find the variables C(BACKUPDB_HOOK),
        C(BACKUPDB_RUN_ID), C(BACKUPDB_HOST), C(BACKUPDB_INSTANCE), C(BACKUPDB_ENGINE), C(BACKUPDB_REPOSITORY), where it
        applies C(BACKUPDB_DATABASE), and after the work C(BACKUPDB_STATUS), C(BACKUPDB_MESSAGE) or C(BACKUPDB_BACKUP),
        and C(BACKUPDB_WITHOUT) where something is left out on purpose.
        No variable holds a secret.
      - In check mode no hook runs.
    type: list
    elements: dict
    suboptions:
      when:
        description:
          - V(before) runs before the work, under the lock of the run and before any snapshot.
          - V(on_failure) runs when the work failed or lacks something.
          - V(after) runs at the end in any case, even when a hook of V(before) failed or the run was asked to stop.
        type: str
        required: true
        choices: [before, after, on_failure]
      per:
        description: Whether it is for the run as a whole, or for each database.
        type: str
        default: run
        choices: [run, database]
      command:
        description: A program by its absolute path, and its arguments. No shell is involved.
        type: list
        elements: str
      sql:
        description:
          - One statement instead, in a session of the run's login, and with O(hooks[].per=database) in that database.
          - On PostgreSQL the names of tables and functions need their schema.
        type: str
      databases:
        description:
          - With O(hooks[].per=database), which databases it is for, as exact names or patterns. The default is all.
        type: list
        elements: str
      timeout:
        description:
          - Longest time for it. What takes longer is ended, and has failed.
          - When the run is asked to stop, the hooks that are left have at most ten seconds each.
        type: str
        default: 5m
      on_error:
        description:
          - With V(fail), a hook of V(before) that fails keeps its database, or the whole run, from being begun. A later
            one makes the run V(partial). With V(warn) it is a warning.
        type: str
        default: fail
        choices: [fail, warn]
"""

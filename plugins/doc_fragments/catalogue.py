# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the options in `repository.options.FILTER_OPTIONS`."""

from __future__ import annotations


class ModuleDocFragment:
    """Which backups of a repository are meant."""

    DOCUMENTATION = r"""
options:
  host:
    description:
      - Only backups of this host. A name, or a pattern with C(*), C(?) and C([...]).
    type: str
  instance:
    description:
      - Only backups of this instance. A name or a pattern, as for O(host).
    type: str
  database:
    description:
      - Only backups of this database. A name or a pattern, as for O(host), that is compared with the true name, not
        with the name of its directory. Accounts have no database, so this leaves them out.
    type: str
  kind:
    description:
      - Only backups of databases, or only those of accounts.
    type: str
    choices: [database, accounts]
  status:
    description:
      - Only complete backups, or only partial ones.
    type: str
    choices: [complete, partial]
  since:
    description:
      - Only backups from this time on. A time such as V(2026-11-24T05:06:07Z), a date such as V(2026-11-24) (its
        beginning), or how long ago, such as V(36h) or V(7d). Without a time zone it is UTC.
    type: str
  until:
    description:
      - Only backups up to this time, written as for O(since).
    type: str
  proven:
    description:
      - Only backups whose newest drill succeeded. With V(false), only those that have no drill or whose newest drill
        failed.
    type: bool
"""

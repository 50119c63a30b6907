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
"""

# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the options in `archives.options.OPTIONS`."""

from __future__ import annotations


class ModuleDocFragment:
    """What opens encrypted archives."""

    DOCUMENTATION = r"""
options:
  identity_file:
    description:
      - File on the host with one or more age identities (secret keys, C(AGE-SECRET-KEY-1...)), such as C(age-keygen) or
        M(vya.backupdb.age_keypair) makes. Nobody but its owner may have access to it.
      - A host that is backed up needs no identity. Read backups on another host, or use O(identity).
    type: path
  identity:
    description:
      - One or more age identities as text, one per line, for this call only. They stay in memory and are never written.
      - Take the text from a vault, or with C(lookup) from a file of the controller.
      - Without C(pipelining) Ansible itself keeps a module with its options in a file on the host while it runs.
    type: str
  passphrase:
    description:
      - Passphrase with which the archives were encrypted.
      - If it is not given, the environment variable E(BACKUPDB_PASSPHRASE) on the host is used.
    type: str
"""

#!/usr/bin/python
# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module runner_install: its documentation. The work is done by the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: runner_install
short_description: Install the program that runs backup jobs on a host
version_added: 1.0.0
description:
  - Builds the library of this collection into one file on the controller, and copies it to the host, where Python runs
    it without Ansible.
  - The same version of the collection gives the same bytes, so a second run changes nothing. The file is replaced in
    one step, and a running job keeps using the library that it began with.
  - The directory of O(dest) is created when it is missing.
  - The file has only Python code. The libraries that it needs (SQLAlchemy, PyMySQL or psycopg2, cryptography,
    zstandard) are installed by the role P(vya.backupdb.backupdb#role).
author:
  - vya.backupdb contributors (@vya)
extends_documentation_fragment:
  - vya.backupdb.attributes
  - vya.backupdb.attributes.actiongroup_backupdb
attributes:
  action:
    description: Builds the file on the controller, before anything is done on the host.
    support: full
  check_mode:
    support: full
  diff_mode:
    support: partial
    details: Says that the file changes, but shows no contents.
  idempotent:
    support: full
options:
  dest:
    description:
      - Path of the program.
    type: path
    default: /usr/local/lib/backupdb/backupdb.pyz
  owner:
    description:
      - Owner of the files.
      - If unset, a new file belongs to the user the module runs as.
    type: str
  group:
    description:
      - Group of the files.
      - If unset, a new file has the group of the user the module runs as.
    type: str
  mode:
    description:
      - Permissions of the files as an octal number. They have no secrets.
    type: raw
    default: "0644"
  manual:
    description:
      - Also write a manual page to this path, such as V(/usr/local/share/man/man8/backupdb.8).
    type: path
  interpreter:
    description:
      - Python that starts the program on the host, such as V(/usr/bin/python3). It makes bytecode of the program, in a
        file beside O(dest) with the same owner and group; without it every start takes some tenths of a second longer.
      - The file is used only by this version of Python, for this version of the program, and while nobody but its owner
        may write it. Files for earlier ones are removed.
      - Not done in check mode. If it is not possible, the task warns.
    type: path
  bash_completion:
    description:
      - Also write a completion for bash to this path, such as V(/usr/local/share/bash-completion/completions/backupdb).
    type: path
seealso:
  - module: vya.backupdb.backup_job
"""

EXAMPLES = r"""
---
- name: Install the program
  vya.backupdb.runner_install:
    interpreter: /usr/bin/python3
  become: true

- name: Run a job once, now
  ansible.builtin.command:
    argv: [/usr/bin/python3, /usr/local/lib/backupdb/backupdb.pyz, run, nightly]
  changed_when: true
"""

RETURN = r"""
dest:
  description: Path of the program.
  returned: always
  type: str
  sample: /usr/local/lib/backupdb/backupdb.pyz
version:
  description: The version of the collection that it was built from.
  returned: always
  type: str
  sample: 1.0.0
size:
  description: Bytes of the file.
  returned: always
  type: int
  sample: 771234
sha256:
  description: Digest of the file.
  returned: always
  type: str
  sample: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
"""

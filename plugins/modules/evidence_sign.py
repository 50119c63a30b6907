#!/usr/bin/python
# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module evidence_sign: its documentation. The work is done by the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: evidence_sign
short_description: (internal) Sign what the role evidence has gathered on all hosts
version_added: 1.0.0
description:
  - Puts together what M(vya.backupdb.role_work) has left of every host of the play, signs it as
    M(vya.backupdb.backup_evidence) does with O(vya.backupdb.backup_evidence#module:state=signed), and publishes where
    it is under the name C(evidence_statement), as C(ansible.builtin.set_stats) does. Only the role evidence uses it.
  - It runs on the controller. No host is given the key.
author:
  - vya.backupdb contributors (@vya)
extends_documentation_fragment:
  - vya.backupdb.attributes
  - vya.backupdb.attributes.actiongroup_backupdb
attributes:
  action:
    description: Does everything on the controller.
    support: full
  check_mode:
    support: full
    details: Writes nothing.
  diff_mode:
    support: none
  idempotent:
    support: none
    details: Every run makes new files, named by the time.
options:
  signing_key:
    description:
      - File on the controller with the secret key.
    type: path
    required: true
  directory:
    description:
      - Directory on the controller for the files.
    type: path
    required: true
seealso:
  - module: vya.backupdb.backup_evidence
"""

EXAMPLES = r"""
---
- name: Sign what was gathered
  vya.backupdb.evidence_sign:
    signing_key: ~/.config/backupdb/evidence-key.pem
    directory: /srv/evidence
  run_once: true
"""

RETURN = r"""
msg:
  description: How many databases have which result, and the file of the statement.
  returned: always
  type: str
  sample: "12 databases, 11 proven, 0 not proven, 1 no drill, 0 no backup: /srv/evidence/evidence-20261130T060000Z.json"
"""

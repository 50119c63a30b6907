#!/usr/bin/python
# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module role_report: its documentation. The work is done by the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: role_report
short_description: (internal) Report what a role has done on all hosts
version_added: 1.0.0
description:
  - Prints one table with a line for each host of the play, and below it what is not well. Only the roles of this
    collection use it, once for all hosts.
  - With C(-v) it also prints what is known of each host.
  - Sends the notifications about the end of the work, from the controller.
  - Publishes the result under the name of the role and C(_summary), as C(ansible.builtin.set_stats) does.
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
    details: Sends no notification.
  diff_mode:
    support: none
  idempotent:
    support: none
    details:
      - Every run sends the notifications again. Nothing changes on a host, so RV(ignore:changed) is always V(false).
options:
  work:
    description:
      - Name of the role.
    type: str
    required: true
seealso:
  - module: vya.backupdb.role_work
"""

EXAMPLES = r"""
---
- name: Report on all hosts
  vya.backupdb.role_report:
    work: status
  run_once: true
"""

RETURN = r"""
msg:
  description: How many hosts have which status.
  returned: always
  type: str
  sample: 1 host failed, 29 hosts ok
"""

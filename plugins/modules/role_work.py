#!/usr/bin/python
# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module role_work: its documentation. The work is done by the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: role_work
short_description: (internal) Do the work of a role on one host
version_added: 1.0.0
description:
  - Checks the variables of a role, takes the steps that it has for a host, and leaves a summary of them for
    M(vya.backupdb.role_report). Only the roles of this collection use it.
  - It is one task, so that the screen has one line for a host. It fails with one sentence when something is not well;
    the details are in the report.
  - A host that cannot be reached is a failed one, so that it is in the report.
author:
  - vya.backupdb contributors (@vya)
extends_documentation_fragment:
  - vya.backupdb.attributes
  - vya.backupdb.attributes.actiongroup_backupdb
attributes:
  action:
    description: Calls modules on the host, as the steps of the role say.
    support: full
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: partial
    details: As the modules that it calls.
options:
  work:
    description:
      - Name of the role, which says how results are summed up.
    type: str
    required: true
  steps:
    description:
      - Names of variables that have steps, which are taken in this order.
      - A step has C(module), C(options) and C(user), and may have C(when), C(each) with C(as) and C(register), which
        mean what loops and keywords of a task mean.
      - C(reads) says that it changes nothing and is taken in check mode too, C(expected) which kinds of errors are no
        failure, and C(may_fail) that other steps follow all the same.
      - In place of a module, C(result) is what one would have returned, and C(tell) are lines about something that
        changes.
    type: list
    elements: str
    required: true
  problems:
    description:
      - Names of variables that list what is wrong with variables. Nothing is done when one of them is not empty.
      - They are looked at when the variables are as the argument specs of the role say.
    type: list
    elements: str
    default: []
  about:
    description:
      - What is known of the work beforehand, for the summary.
    type: dict
    default: {}
seealso:
  - module: vya.backupdb.role_report
"""

EXAMPLES = r"""
---
- name: Check the backups of this host
  vya.backupdb.role_work:
    work: status
    steps: [my_steps]
  vars:
    my_steps:
      - module: vya.backupdb.backup_status
        options:
          repository: /var/backups/backupdb
"""

RETURN = r"""
msg:
  description: What was done, or what is wrong, in one sentence.
  returned: always
  type: str
  sample: 12 ok; 1.2 GiB, 40.0 GiB free in /var/backups/backupdb
"""

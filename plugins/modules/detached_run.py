#!/usr/bin/python
# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module detached_run."""

from __future__ import annotations

DOCUMENTATION = r"""
module: detached_run
short_description: (internal) Wait for work that goes on without the connection
version_added: 1.0.0
description:
  - Used by the modules whose work runs on the host by itself, such as M(vya.backupdb.database_backup). It waits for the
    end of a run that one of them started, and returns its result or its progress.
  - It must run as the user who started the run.
notes:
  - This module may change without notice.
author:
  - vya.backupdb contributors (@vya)
extends_documentation_fragment:
  - vya.backupdb.attributes
  - vya.backupdb.attributes.actiongroup_backupdb
  - vya.backupdb.attributes.info_module
options:
  run_id:
    description: Identifier of the run.
    type: str
    required: true
  wait:
    description: Maximum of seconds to wait for its end.
    type: int
    default: 30
seealso:
  - module: vya.backupdb.database_backup
  - module: vya.backupdb.database_restore
  - module: vya.backupdb.backup_drill
  - module: vya.backupdb.backup_verify
  - module: vya.backupdb.backup_copy
"""

EXAMPLES = r"""
---
- name: Show the progress of a backup (database_backup does this)
  vya.backupdb.detached_run:
    run_id: 3f0c9a52d1e94c0b8f4f0b7f5a6d2c11
    wait: 0
"""

RETURN = r"""
detached_run:
  description: State of the run. Once it has ended, the result is that of the module that started it.
  returned: when the run goes on
  type: dict
  contains:
    run_id:
      description: The O(run_id).
      type: str
      sample: 3f0c9a52d1e94c0b8f4f0b7f5a6d2c11
    seconds:
      description: Seconds since the run began.
      type: float
      sample: 1832.4
    progress:
      description: Progress of the run. Empty before the first dump.
      type: str
      sample: 1 of 3 done (@accounts), now facts, orders; 1.2 GiB stored
error_kind:
  description:
    - Kind of the failure. V(RunLost) is a run whose process has ended without a result. V(RunUnknown) is a run that the
      host does not know. The text is in RV(ignore:msg).
  returned: failure
  type: str
  sample: RunLost
"""

from ansible_collections.vya.backupdb.plugins.module_utils.ansible_module import AnsibleModule
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.system.detached import initial_facts, look
from ansible_collections.vya.backupdb.plugins.module_utils.module_support.detached import answer
from ansible_collections.vya.backupdb.plugins.module_utils.module_support.run_module import finish_with


def main() -> None:
    """Wait for the end of a run and end with its result, or with how it stands."""
    module = AnsibleModule(
        argument_spec={"run_id": {"type": "str", "required": True}, "wait": {"type": "int", "default": 30}},
        supports_check_mode=True,
    )
    run_id, wait = module.params["run_id"], module.params["wait"]
    finish_with(module, lambda: answer(look(run_id, wait)), **initial_facts(run_id))


if __name__ == "__main__":
    main()

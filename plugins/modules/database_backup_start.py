#!/usr/bin/python
# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module database_backup_start."""

from __future__ import annotations

DOCUMENTATION = r"""
module: database_backup_start
short_description: (internal) Start a backup that goes on without the connection
version_added: 1.0.0
description:
  - Used by M(vya.backupdb.database_backup), not by playbooks. It starts the same backup as a process of its own on the
    host, which does not end with the connection, and waits a few seconds for its end.
  - The process gets its options, with the secrets among them, in memory. Its directory C(/var/tmp/backupdb-run-ID)
    holds nothing secret. It goes as soon as the result was fetched, or by a later run when it is a day old.
notes:
  - This module may change without notice.
author:
  - vya.backupdb contributors (@vya)
extends_documentation_fragment:
  - vya.backupdb.attributes
  - vya.backupdb.attributes.actiongroup_login_repository
  - vya.backupdb.connection
  - vya.backupdb.selection
  - vya.backupdb.dump
  - vya.backupdb.backup
attributes:
  check_mode:
    support: none
  diff_mode:
    support: full
  idempotent:
    support: none
options:
  run_id:
    description: Identifier of the run, 32 random hexadecimal digits that only the caller knows.
    type: str
    required: true
seealso:
  - module: vya.backupdb.database_backup
  - module: vya.backupdb.database_backup_follow
"""

EXAMPLES = r"""
---
- name: Start a backup of all databases (database_backup does this)
  vya.backupdb.database_backup_start:
    run_id: "{{ lookup('ansible.builtin.password', '/dev/null', length=32, chars=['0123456789abcdef']) }}"
    instance: shop-pg
    engine: postgresql
    login_unix_socket: /var/run/postgresql
    repository: /var/backups/backupdb
    recipients: ["{{ backup_recipient }}"]
"""

RETURN = r"""
detached_run:
  description: State of the run. Once it has ended, the result is that of M(vya.backupdb.database_backup) instead.
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
      sample: 3.0
    progress:
      description: Progress of the run. Empty before the first dump.
      type: str
      sample: 1 of 3 done (@accounts), now facts, orders; 1.2 GiB stored
"""

from dataclasses import replace
from typing import Any

from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.backup import run as backup
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.backup.options import (
    OPTIONS,
    request_from,
    short_host_name,
)
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.system.detached import DetachedRun, look
from ansible_collections.vya.backupdb.plugins.module_utils.module_support.argument_specs.constraints import (
    BACKUP_CONSTRAINTS,
)
from ansible_collections.vya.backupdb.plugins.module_utils.module_support.argument_specs.spec import to_spec
from ansible_collections.vya.backupdb.plugins.module_utils.module_support.careful_module import AnsibleModule
from ansible_collections.vya.backupdb.plugins.module_utils.module_support.detached import answer, import_everything
from ansible_collections.vya.backupdb.plugins.module_utils.module_support.run_module import finish_with

WAIT = 4.0  # seconds; a run that has ended by then needs no second call


def main() -> None:
    """Start the run and end with how it stands."""
    module = AnsibleModule(
        argument_spec={**to_spec(OPTIONS), "run_id": {"type": "str", "required": True}},
        **BACKUP_CONSTRAINTS,
    )
    run_id = module.params.pop("run_id")  # the result is to be that of database_backup
    facts = {"instance": module.params["instance"], "host": module.params["host"] or short_host_name()}
    finish_with(module, lambda: _started(module, run_id, facts), **facts)


def _started(module: AnsibleModule, run_id: str, facts: dict[str, Any]) -> dict[str, Any]:
    request = replace(request_from(module.params), run_id=run_id)
    backup.check(request)  # what makes this module run again elsewhere must be found before the fork
    try:
        run = DetachedRun(run_id, facts)
    except OSError as error:
        module.warn(f"The backup was not detached from the connection of this task: {error}")
        return backup.run(request)
    import_everything()
    run.start(
        lambda: finish_with(
            module, lambda: backup.run(request, report=lambda progress: run.report(progress.text())), **facts
        )
    )
    return answer(look(run_id, WAIT))


if __name__ == "__main__":
    main()

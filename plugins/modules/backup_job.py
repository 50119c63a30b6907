#!/usr/bin/python
# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module backup_job."""

from __future__ import annotations

DOCUMENTATION = r"""
module: backup_job
short_description: Define what a host backs up on its own
version_added: 1.0.0
description:
  - Writes, or removes, the definition of a job. The program that M(vya.backupdb.runner_install) installs runs it with
    C(backupdb run NAME), without Ansible and without the controller.
  - A job backs up one instance after the other, then prunes, drills when that is due, and finally records the result
    and sends notifications.
  - What a job backs up has the options of M(vya.backupdb.database_backup). Everything is checked now, not when the job
    runs at night.
  - A definition holds no secrets and never will. They come from O(credentials).
  - This module does not schedule the job. The role P(vya.backupdb.schedule#role) does.
author:
  - vya.backupdb contributors (@vya)
extends_documentation_fragment:
  - vya.backupdb.job
  - vya.backupdb.attributes
  - vya.backupdb.attributes.actiongroup_backupdb
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details: Shows the definition before and after. There are no secrets in it.
  idempotent:
    support: full
options:
  state:
    description:
      - Whether the job is defined.
      - Removing a job removes neither its backups nor the record of its last run.
    type: str
    default: present
    choices: [present, absent]
  name:
    description:
      - Name of the job, up to 63 of the characters a-z, 0-9, V(_) and V(-). The first is a letter or a digit.
    type: str
    required: true
  retention:
    description:
      - Which backups are kept, with the options of M(vya.backupdb.backup_prune), such as V(keep_daily).
      - If unset or empty, the job removes nothing.
    type: dict
  copies:
    description:
      - Where the backups are copied to after each run. The keys of an entry are those of
        O(vya.backupdb.backup_copy#module:copies). What opens the stores comes from O(credentials).
      - A backup that is not in every required copy yet is not removed by O(retention).
    type: list
    elements: dict
    default: []
  drill:
    description:
      - Drills of the newest backups. If unset or empty, nothing is drilled.
      - C(every) says how often, such as V(7d), and is required. A drill that did not prove everything is repeated in
        the next run.
      - C(from_copy) is the name of one of O(copies) from which the backups are read, within its C(verify_budget).
      - C(identity_file), C(database), C(status), C(select), C(count), C(work_dir), C(run_as), C(jobs), C(timeout)
        and C(signed_by) are as in M(vya.backupdb.backup_drill).
    type: dict
  notifications:
    description:
      - Who is notified, each with the options of M(vya.backupdb.notification).
      - C(smtp_password), and a C(url) that is secret, belong in the credentials, under the name of the notification.
    type: list
    elements: dict
    default: []
  on_calendar:
    description:
      - When the job is started, as text for people and for monitoring. It starts nothing.
    type: str
  max_age:
    description:
      - A database whose newest backup is older than this is late.
    type: str
    default: 26h
  not_between:
    description:
      - Times at which the job may not run, by the clock of the host, such as V(08:00-18:00), V(mon-fri 08:00-18:00) or
        V(22:00-02:00). The day is that on which the time begins.
      - A job that is started within such a time ends at once with exit status 75.
      - When such a time begins, no further database is begun, a copy or a drill that is at work is stopped, and later
        steps are left out. A copy goes on where it was at its next time.
    type: list
    elements: str
    default: []
  at_window:
    description:
      - What becomes of dumps that are at work when a time of O(not_between) begins.
      - With V(finish) they come to their end. With V(stop) they are stopped, and count as failed.
    type: str
    default: finish
    choices: [finish, stop]
  metrics_dir:
    description:
      - Directory in which the textfile collector of Prometheus' node exporter looks for files.
      - If unset, no metrics are written.
    type: path
  state_dir:
    description:
      - Directory for the record of the job's last run.
    type: path
    default: /var/lib/backupdb
  credentials:
    description:
      - Where the job finds its secrets when it runs.
      - If unset, there are none, and logins go by the operating system's user.
    type: dict
    suboptions:
      source:
        description:
          - Kind of the place.
          - V(file) is a JSON file, V(systemd) a credential that systemd hands to the service, and V(store) a file of
            M(vya.backupdb.credential_store).
        type: str
        default: none
        choices: [none, file, systemd, store]
      path:
        description:
          - The file, or the name of systemd's credential.
        type: str
  config_dir:
    description:
      - Directory of the configuration. Jobs are in its directory C(jobs.d), which is created when it is missing.
    type: path
    default: /etc/backupdb
  owner:
    description:
      - Owner of the definition.
      - If unset, a new one belongs to the user the module runs as.
    type: str
  group:
    description:
      - Group of the definition. Its members can read it, so the user who runs the job must be one of them.
      - If unset, a new one has the group of the user the module runs as.
    type: str
seealso:
  - module: vya.backupdb.runner_install
  - module: vya.backupdb.database_backup
"""

EXAMPLES = r"""
---
- name: Define a job that needs no secrets
  vya.backupdb.backup_job:
    name: nightly
    group: backupdb
    backups:
      - instance: shop-pg
        engine: postgresql
        login_unix_socket: /var/run/postgresql
        repository: /var/backups/backupdb
        host: "{{ inventory_hostname }}"
        recipients: ["{{ backup_recipient }}"]
    retention:
      keep_daily: 14
      keep_weekly: 8
  become: true

- name: Remove a job
  vya.backupdb.backup_job:
    name: nightly
    state: absent
  become: true
"""

RETURN = r"""
name:
  description: The O(name) asked for.
  returned: always
  type: str
  sample: nightly
path:
  description: The file of the definition.
  returned: always
  type: str
  sample: /etc/backupdb/jobs.d/nightly.json
job:
  description: The definition with all defaults filled in. V(null) with O(state=absent).
  returned: success
  type: dict
  sample: {"schema": 1, "name": "nightly", "backups": []}
status:
  description: V(ok), or V(failed) when the definition was refused.
  returned: always
  type: str
  sample: ok
message:
  description: The outcome in a sentence.
  returned: success
  type: str
  sample: job nightly is defined in /etc/backupdb/jobs.d/nightly.json
diff:
  description: The definition before and after.
  returned: in diff mode
  type: dict
  sample: {"before": "", "after": "{}\n"}
error_kind:
  description: Kind of the failure, such as V(InvalidOption). The text is in RV(ignore:msg).
  returned: when the definition was refused
  type: str
  sample: InvalidOption
"""

import grp
import tempfile
from pathlib import Path
from typing import Any

from ansible_collections.vya.backupdb.plugins.module_utils.ansible_module import AnsibleModule
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.errors import InvalidOption
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.jobs.definition import (
    job_path,
    job_text,
)
from ansible_collections.vya.backupdb.plugins.module_utils.module_support.argument_specs.jobs import job_of, job_spec
from ansible_collections.vya.backupdb.plugins.module_utils.module_support.run_module import finish_with

FILE_MODE = 0o640
FOLDER_MODE = 0o750


def main() -> None:
    """Bring the file of one job to what is asked for."""
    module = AnsibleModule(
        argument_spec=job_spec(), required_if=[("state", "present", ("backups",))], supports_check_mode=True
    )
    name = module.params["name"]
    finish_with(module, lambda: _apply(module), name=name, path=f"{module.params['config_dir']}/jobs.d/{name}.json")


def _apply(module: AnsibleModule) -> dict[str, Any]:
    path = job_path(module.params["config_dir"], module.params["name"])
    job = job_of(module.params, f"job {module.params['name']}") if module.params["state"] == "present" else None
    before = _read(path)
    after = job_text(job) if job is not None else ""
    changed, warnings = before != after, []
    if not module.check_mode and changed:
        if job is None:
            path.unlink()
        else:
            _write(module, path, after)
    if job is not None:
        group_is_there = _group_is_there(module.params["group"])
        if module.check_mode and not group_is_there:
            warnings.append(f"group {module.params['group']} is not there yet")
        elif path.exists():
            changed = _set_attributes(module, path, FILE_MODE, changed)
    word = "not defined" if job is None else "defined"
    return {
        "status": "ok",
        "changed": changed,
        "job": job.values() if job is not None else None,
        "message": f"job {module.params['name']} is {word} in {path}",
        "warnings": warnings,
        "diff": {"before": before, "after": after, "before_header": str(path), "after_header": str(path)},
    }


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise InvalidOption(f"{path} cannot be read: {error.strerror}; run the task with become") from error


def _write(module: AnsibleModule, path: Path, text: str) -> None:
    if not path.parent.is_dir():
        try:
            path.parent.mkdir(mode=FOLDER_MODE, parents=True)
        except OSError as error:
            raise InvalidOption(f"{path.parent} cannot be made: {error.strerror}; run the task with become") from error
        _set_attributes(module, path.parent, FOLDER_MODE, True)
    with tempfile.NamedTemporaryFile("w", dir=module.tmpdir, delete=False, encoding="utf-8") as file:
        file.write(text)
    module.atomic_move(file.name, str(path))


def _set_attributes(module: AnsibleModule, path: Path, mode: int, changed: bool) -> bool:
    changed = module.set_owner_if_different(str(path), module.params["owner"], changed)
    changed = module.set_group_if_different(str(path), module.params["group"], changed)
    return bool(module.set_mode_if_different(str(path), mode, changed))


def _group_is_there(name: str | None) -> bool:
    try:
        return name is None or name.isdigit() or bool(grp.getgrnam(name))
    except KeyError:
        return False


if __name__ == "__main__":
    main()

#!/usr/bin/python
# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module job_credentials."""

from __future__ import annotations

DOCUMENTATION = r"""
module: job_credentials
short_description: Write the secrets of a backup job to its host
version_added: 1.0.0
description:
  - Writes the secrets of one job of the role P(vya.backupdb.schedule#role) into a file of its own, encrypted by systemd
    if possible, otherwise in plain text with mode V(0600).
  - An encrypted file is decrypted and compared, so that it is written only when the secrets change. They are never
    returned, logged or shown in a diff.
author:
  - vya.backupdb contributors (@vya)
extends_documentation_fragment:
  - vya.backupdb.attributes
  - vya.backupdb.attributes.actiongroup_backupdb
attributes:
  check_mode:
    support: full
    details:
      - Whether systemd really can encrypt on this host is not tried in check mode.
  diff_mode:
    support: full
    details:
      - Shows which file exists and whether it changes, never contents.
  idempotent:
    support: full
options:
  name:
    description:
      - Name of the job. It is the name of the file, followed by C(.cred) when it is encrypted, and the name of the
        credential.
    type: str
    required: true
  state:
    description:
      - Whether the job has a file with secrets.
    type: str
    choices: [present, absent]
    default: present
  secrets:
    description:
      - The secrets, each of which may be left out. C(logins) has C(login_password) by instance id, C(passphrase) is the
        archives' passphrase, and C(notifications) has C(url) and C(smtp_password) by the name of the notification.
    type: dict
    default: {}
  directory:
    description:
      - Directory for the file. It must exist.
    type: path
    default: /etc/backupdb/credentials
  encrypt:
    description:
      - V(auto) encrypts with C(systemd-creds) if that is installed and works, V(always) fails if it does not, V(never)
        writes a plain file.
      - Only a service that systemd starts can use an encrypted file.
    type: str
    choices: [auto, always, never]
    default: auto
  owner:
    description:
      - Owner of the file. This is the user who runs the job, unless systemd passes the file to the service.
    type: str
  group:
    description:
      - Group of the file.
    type: str
seealso:
  - module: vya.backupdb.backup_job
  - module: vya.backupdb.credential_store
"""

EXAMPLES = r"""
---
- name: Write the secrets of a job
  vya.backupdb.job_credentials:
    name: nightly
    secrets:
      logins:
        shop-pg:
          login_password: "{{ vault_shop_password }}"

- name: Remove them
  vya.backupdb.job_credentials:
    name: nightly
    state: absent
"""

RETURN = r"""
name:
  description: The O(name) asked for.
  returned: always
  type: str
  sample: nightly
path:
  description: The file with the secrets. V(null) when there is none.
  returned: success
  type: str
  sample: /etc/backupdb/credentials/nightly.cred
encrypted:
  description: Whether the file is encrypted by systemd.
  returned: success
  type: bool
  sample: true
status:
  description: V(failed) when the file was left as it was because something is wrong.
  returned: failure
  type: str
  sample: failed
error_kind:
  description: Kind of the failure. The text is in RV(ignore:msg).
  returned: failure
  type: str
  sample: CredentialsMissing
"""

from pathlib import Path
from typing import Any

from ansible_collections.vya.backupdb.plugins.module_utils.ansible_module import AnsibleModule
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.credentials.job_file import JobFile, keep
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.jobs.definition import job_path
from ansible_collections.vya.backupdb.plugins.module_utils.module_support.run_module import finish_with


def work(module: AnsibleModule) -> dict[str, Any]:
    """Write or remove the file, then see to whom it belongs."""
    options = module.params
    wanted = JobFile(
        folder=Path(options["directory"]),
        name=job_path("", options["name"]).stem,  # refuses what cannot be a name, such as a path
        secrets=options["secrets"] if options["state"] == "present" else {},
        encrypt=options["encrypt"],
    )
    result = keep(wanted, check_mode=module.check_mode)
    path = result["path"]
    if path is not None and Path(path).exists():
        result["changed"] = module.set_owner_if_different(path, options["owner"], result["changed"])
        result["changed"] = module.set_group_if_different(path, options["group"], result["changed"])
    return result


def main() -> None:
    """Bring the file into the state asked for."""
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "state": {"type": "str", "default": "present", "choices": ["present", "absent"]},
            "secrets": {"type": "dict", "default": {}, "no_log": True},
            "directory": {"type": "path", "default": "/etc/backupdb/credentials"},
            "encrypt": {"type": "str", "default": "auto", "choices": ["auto", "always", "never"]},
            "owner": {"type": "str"},
            "group": {"type": "str"},
        },
        supports_check_mode=True,
    )
    finish_with(module, lambda: work(module), name=module.params["name"])


if __name__ == "__main__":
    main()

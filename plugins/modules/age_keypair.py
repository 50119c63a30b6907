#!/usr/bin/python
# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module age_keypair."""

from __future__ import annotations

DOCUMENTATION = r"""
module: age_keypair
short_description: Create an age key pair for encrypting backups
version_added: 1.0.0
description:
  - Makes sure that a file with an age identity, the secret key, exists, and returns its recipient, the public key.
  - The file has the format of C(age-keygen), so that C(age -d -i FILE) decrypts what was encrypted to the recipient.
  - An existing file is never replaced, emptied or removed, because every backup that was made for the identity would be
    lost with it. This is also why there is no option to force a new key or to remove one.
  - The identity itself is never returned, logged or shown in a diff.
  - Create the key on the controller or on the machine that restores. Hosts that are backed up need only the recipient.
    Keep a second, offline key and give both recipients to every backup.
author:
  - vya.backupdb contributors (@vya)
requirements:
  - Python library cryptography >= 3.4.8
extends_documentation_fragment:
  - ansible.builtin.files
  - vya.backupdb.attributes
  - vya.backupdb.attributes.actiongroup_backupdb
attributes:
  check_mode:
    support: full
    details:
      - When there is no file yet, the recipient is not known beforehand and is not returned.
  diff_mode:
    support: full
    details:
      - Shows the recipient, owner and mode, never the identity.
  idempotent:
    support: full
options:
  path:
    description:
      - The identity file.
      - Its directory must exist.
    type: path
    required: true
  mode:
    description:
      - Permissions of the file as an octal number.
      - Permissions that let anybody but the owner access the file are refused.
      - An existing file that is open to others is corrected, with a warning.
    type: raw
    default: "0600"
seealso:
  - module: vya.backupdb.database_backup
  - name: age
    description: The file format and the program.
    link: https://age-encryption.org
"""

EXAMPLES = r"""
---
- name: Create a key for backups on the controller
  vya.backupdb.age_keypair:
    path: /etc/ansible/backup-identity.txt
  delegate_to: localhost
  run_once: true
  register: backup_key

- name: Back up for this key
  vya.backupdb.database_backup:
    instance: shop-pg
    engine: postgresql
    login_unix_socket: /var/run/postgresql
    repository: /srv/backup
    recipients:
      - "{{ backup_key.recipient }}"

- name: Create a key that belongs to the backup user
  vya.backupdb.age_keypair:
    path: /etc/backupdb/identity.txt
    owner: backupdb
    group: backupdb
    mode: "0400"
"""

RETURN = r"""
path:
  description: The O(path) asked for.
  returned: always
  type: str
  sample: /etc/backupdb/identity.txt
recipient:
  description: The public key that belongs to the identity in the file.
  returned: success, unless the file would have been made in check mode
  type: str
  sample: age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj
fingerprint:
  description: Fingerprint of the recipient, as in the manifests of backups.
  returned: success, unless the file would have been made in check mode
  type: str
  sample: SHA256:rDUwcQDWBrc+ZtJbSSmtFH/vwB2HVU8KdXzfmjgNn2A
created:
  description: When the key was created, as the comment in the file says. V(null) when there is no such comment.
  returned: success, unless the file would have been made in check mode
  type: str
  sample: "2026-11-24T06:00:00Z"
"""

import os
from pathlib import Path
from typing import Any

from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.age.identity_file import (
    IdentityFile,
    generate_identity,
    read_identity_file,
    write_identity_file,
)
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.age.stream import fingerprint
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.errors import (
    BackupDbError,
    InvalidOption,
    RequirementMissing,
)
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.system.files import OTHERS
from ansible_collections.vya.backupdb.plugins.module_utils.module_support.careful_module import AnsibleModule
from ansible_collections.vya.backupdb.plugins.module_utils.module_support.respawn import respawn_if_missing


def check_file_mode(mode: Any) -> None:
    """Refuse a mode that lets others in. Ansible gives an unquoted number as int, and a quoted one as text."""
    try:
        bits = mode if isinstance(mode, int) else int(mode, 8)
    except ValueError as error:
        raise InvalidOption(f"mode {mode!r} is not an octal number. Give it quoted, such as '0600'.") from error
    if bits & OTHERS:
        raise InvalidOption(
            f"mode {bits:04o} lets others than the owner reach the secret key. Give it quoted, such as '0600'."
        )


def existing_key(module: AnsibleModule, path: str) -> IdentityFile:
    """The key in the file that is there, which holds exactly one."""
    found = read_identity_file(path, must_be_private=False)
    if len(found.identities) != 1:
        raise InvalidOption(
            f"The identity file {path} holds {len(found.identities)} identities; this module keeps files with one."
            " Give another path, or take the recipients of this file from `age-keygen -y`."
        )
    if found.open_to_others:
        module.warn(f"{path} had mode {found.mode:04o}: if anybody may have read it, make a new key at another path.")
    return found


def warn_of_missing_directory(module: AnsibleModule, path: str) -> None:
    """In check mode an earlier task may be about to make it."""
    folder = Path(path).parent
    if not folder.is_dir():
        module.warn(f"The directory {folder} does not exist yet; unless an earlier task makes it, this one fails.")


def facts(key: IdentityFile) -> dict[str, Any]:
    recipient = key.identities[0].recipient
    return {"recipient": recipient, "fingerprint": fingerprint(recipient), "created": key.created}


def main() -> None:
    """Find or make the key, then its owner and mode."""
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "mode": {"type": "raw", "default": "0600"},
        },
        add_file_common_args=True,
        supports_check_mode=True,
    )
    path = module.params["path"]
    result: dict[str, Any] = {"changed": False, "path": path}
    diff: dict[str, dict[str, Any]] = {"before": {"path": path}, "after": {"path": path}}
    try:
        check_file_mode(module.params["mode"])
        missing = not os.path.lexists(path)
        diff["before"]["state"], diff["after"]["state"] = "absent" if missing else "present", "present"
        if missing:
            result["changed"] = True
            identity = generate_identity()
            if module.check_mode:
                warn_of_missing_directory(module, path)
            else:
                result.update(facts(write_identity_file(path, identity)))
                diff["after"]["recipient"] = result["recipient"]
        else:
            result.update(facts(existing_key(module, path)))
    except RequirementMissing as error:
        respawn_if_missing(module, error, **{**result, "changed": False})
    except BackupDbError as error:
        module.fail_json(msg=str(error), **{**result, "changed": False})
    if os.path.lexists(path):
        file_arguments = module.load_file_common_arguments(module.params)
        result["changed"] = module.set_fs_attributes_if_different(file_arguments, result["changed"], diff)
    if module._diff:
        result["diff"] = diff
    module.exit_json(**result)


if __name__ == "__main__":
    main()

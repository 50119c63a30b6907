#!/usr/bin/python
# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module signing_key."""

from __future__ import annotations

DOCUMENTATION = r"""
module: signing_key
short_description: Create the key with which a host signs its backups
version_added: 1.0.0
description:
  - Makes sure that a file with a secret key of Ed25519 exists, and returns its public key.
  - The file is in the PEM form (PKCS 8) that C(openssl) reads and C(openssl genpkey -algorithm ed25519) makes.
  - An existing file is never replaced, emptied or removed, because the public key of the host is in inventories then.
  - The secret key itself is never returned, logged or shown in a diff.
  - With C(backupdb_sign) the roles P(vya.backupdb.backup#role) and P(vya.backupdb.schedule#role) use this module on
    each host.
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
      - When there is no file yet, the public key is not known beforehand and is not returned.
  diff_mode:
    support: full
    details:
      - Shows the public key, owner and mode, never the secret key.
  idempotent:
    support: full
options:
  path:
    description:
      - The file of the secret key.
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
  - module: vya.backupdb.backup_verify
"""

EXAMPLES = r"""
---
- name: Create the key that the backup user signs with
  vya.backupdb.signing_key:
    path: /etc/backupdb/signing-key.pem
    owner: backupdb
  register: host_key

- name: Show what belongs into the inventory
  ansible.builtin.debug:
    msg: "{{ host_key.public_key }}"
"""

RETURN = r"""
path:
  description: The O(path) asked for.
  returned: always
  type: str
  sample: /etc/backupdb/signing-key.pem
public_key:
  description: The public key, as C(signed_by) takes it. It is the base64 of its DER form.
  returned: success, unless the file would have been made in check mode
  type: str
  sample: MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=
"""

import os
from pathlib import Path
from typing import Any

from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.errors import (
    BackupDbError,
    InvalidOption,
    RequirementMissing,
)
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.signatures.keys import (
    SigningKey,
    read_signing_key,
    write_signing_key,
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


def existing_key(module: AnsibleModule, path: str) -> SigningKey:
    """The key in the file that is there."""
    found = read_signing_key(path, must_be_private=False)
    if found.mode & OTHERS:
        module.warn(f"{path} had mode {found.mode:04o}: if anybody may have read it, make a new key at another path.")
    return found


def warn_of_missing_directory(module: AnsibleModule, path: str) -> None:
    """In check mode an earlier task may be about to make it."""
    folder = Path(path).parent
    if not folder.is_dir():
        module.warn(f"The directory {folder} does not exist yet; unless an earlier task makes it, this one fails.")


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
            if module.check_mode:
                warn_of_missing_directory(module, path)
            else:
                result["public_key"] = diff["after"]["public_key"] = write_signing_key(path).public
        else:
            result["public_key"] = existing_key(module, path).public
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

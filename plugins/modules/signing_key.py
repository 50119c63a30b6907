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

from typing import Any

from ansible_collections.vya.backupdb.plugins.module_utils.ansible_module import AnsibleModule
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.signatures.keys import (
    read_signing_key,
    write_signing_key,
)
from ansible_collections.vya.backupdb.plugins.module_utils.module_support.key_file import ARGUMENT_SPEC, keep_key_file


def existing_key(path: str) -> tuple[dict[str, Any], int]:
    """The facts and the mode of the file that is there."""
    found = read_signing_key(path, must_be_private=False)
    return {"public_key": found.public}, found.mode


def write(path: str) -> dict[str, Any]:
    """Make a key in a new file and return its facts."""
    return {"public_key": write_signing_key(path).public}


def main() -> None:
    """Find or make the key, then its owner and mode."""
    module = AnsibleModule(argument_spec=dict(ARGUMENT_SPEC), add_file_common_args=True, supports_check_mode=True)
    keep_key_file(module, existing=existing_key, generate=lambda: write, shown="public_key")


if __name__ == "__main__":
    main()

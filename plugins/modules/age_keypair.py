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

from functools import partial
from typing import Any

from ansible_collections.vya.backupdb.plugins.module_utils.ansible_module import AnsibleModule
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.age.identity_file import (
    IdentityFile,
    generate_identity,
    read_identity_file,
    write_identity_file,
)
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.age.stream import X25519Identity, fingerprint
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.errors import InvalidOption
from ansible_collections.vya.backupdb.plugins.module_utils.module_support.key_file import ARGUMENT_SPEC, keep_key_file


def existing_key(path: str) -> tuple[dict[str, Any], int]:
    """The facts and the mode of the file that is there, which holds exactly one key."""
    found = read_identity_file(path, must_be_private=False)
    if len(found.identities) != 1:
        raise InvalidOption(
            f"The identity file {path} holds {len(found.identities)} identities; this module keeps files with one."
            " Give another path, or take the recipients of this file from `age-keygen -y`."
        )
    return facts(found), found.mode


def write(identity: X25519Identity, path: str) -> dict[str, Any]:
    """Write a new file and return its facts."""
    return facts(write_identity_file(path, identity))


def facts(key: IdentityFile) -> dict[str, Any]:
    recipient = key.identities[0].recipient
    return {"recipient": recipient, "fingerprint": fingerprint(recipient), "created": key.created}


def main() -> None:
    """Find or make the key, then its owner and mode."""
    module = AnsibleModule(argument_spec=dict(ARGUMENT_SPEC), add_file_common_args=True, supports_check_mode=True)
    keep_key_file(
        module, existing=existing_key, generate=lambda: partial(write, generate_identity()), shown="recipient"
    )


if __name__ == "__main__":
    main()

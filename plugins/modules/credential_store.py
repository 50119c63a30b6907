#!/usr/bin/python
# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module credential_store."""

from __future__ import annotations

DOCUMENTATION = r"""
module: credential_store
short_description: Keep logins of database servers in an encrypted file on the host
version_added: 1.0.0
description:
  - Sets or removes the login of one instance in a credential store, a JSON file of mode V(0600) whose passwords are
    encrypted with Fernet. Jobs of the role P(vya.backupdb.schedule#role) read it with
    C(schedule_credentials=store).
  - The file has the format of C(credentials.json) of VYA BackupDB v2, and its files can be imported.
  - A password that is already there is not written again. No password is returned, logged or shown in a diff.
notes:
  - A store whose key is on the same host keeps passwords out of backups and logs and hides them from a casual look, but
    not from anyone who can read both files. Logins through the socket (C(peer), C(unix_socket)) need no password at
    all.
author:
  - vya.backupdb contributors (@vya)
requirements:
  - Python library cryptography >= 3.4.8
extends_documentation_fragment:
  - vya.backupdb.attributes
  - vya.backupdb.attributes.actiongroup_backupdb
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details:
      - Shows instances and their user names, never passwords.
  idempotent:
    support: full
options:
  path:
    description:
      - The store. Its directory must exist.
    type: path
    default: /etc/backupdb/credentials.json
  id:
    description:
      - Id of the instance whose login is meant.
    type: str
  state:
    description:
      - Whether the store has a login for O(id).
    type: str
    choices: [present, absent]
    default: present
  login_user:
    description:
      - Name of the login. It is stored in plain text, as v2 does.
    type: str
  login_password:
    description:
      - Password of the login.
    type: str
  key:
    description:
      - V(file) takes the key from a file next to the store, with the same name but C(.key) at its end. It is created,
        at random and with mode V(0600), together with a new store.
      - V(hostname) derives the key from the host's name, as VYA BackupDB v2 does. A host name is not a secret, so that
        is no better than a plain password. Use it only to keep a store of v2 in use until it is replaced.
    type: str
    choices: [file, hostname]
    default: file
  import_from:
    description:
      - A file of VYA BackupDB v2 on the host, C(credentials.json) or C(vault.json.enc), whose logins are added to the
        store. It is only read.
      - A login that is already in the store is kept, so that the task can stay in a playbook after the password was
        changed here.
    type: path
  import_host_name:
    description:
      - Name of the host that wrote O(import_from), as C(hostname) prints it there. The default is that of the host on
        which the module runs.
    type: str
  owner:
    description:
      - Owner of the store and its key, the user who runs the jobs. If it is not given, existing files keep their owner.
    type: str
  group:
    description:
      - Group of the store and its key.
    type: str
seealso:
  - module: vya.backupdb.database_backup
"""

EXAMPLES = r"""
---
- name: Store a login
  vya.backupdb.credential_store:
    id: shop-pg
    login_user: backupdb
    login_password: "{{ vault_shop_password }}"
    owner: backupdb

- name: Remove the login of a server that is gone
  vya.backupdb.credential_store:
    id: old-pg
    state: absent

- name: Take over the logins of VYA BackupDB v2, with a random key from now on
  vya.backupdb.credential_store:
    import_from: /opt/vya-backupdb/.secrets/credentials.json
"""

RETURN = r"""
path:
  description: The O(path) asked for.
  returned: always
  type: str
  sample: /etc/backupdb/credentials.json
ids:
  description: Instances for which the store has a login.
  returned: success
  type: list
  elements: str
  sample: [shop-pg, wiki-db]
imported:
  description: Instances whose logins were taken from O(import_from).
  returned: success
  type: list
  elements: str
  sample: [wiki-db]
kept:
  description: Instances of O(import_from) that were already in the store, and whose logins are left as they were.
  returned: success
  type: list
  elements: str
  sample: [shop-pg]
status:
  description: V(failed) when the store was left as it was because something is wrong.
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
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.credentials.change import StoreChange, change
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.credentials.store import Login, key_file_of
from ansible_collections.vya.backupdb.plugins.module_utils.module_support.run_module import finish_with


def change_from(options: dict[str, Any]) -> StoreChange:
    """Make the library's value of the module's options."""
    return StoreChange(
        path=Path(options["path"]),
        key=options["key"],
        id=options["id"],
        present=options["state"] == "present",
        login=Login(user=options["login_user"] or None, password=options["login_password"] or None),
        import_from=Path(options["import_from"]) if options["import_from"] else None,
        import_host_name=options["import_host_name"],
    )


def work(module: AnsibleModule) -> dict[str, Any]:
    """Change the store, then whom it belongs to."""
    result = change(change_from(module.params), check_mode=module.check_mode)
    del result["store"]
    store = Path(module.params["path"])
    for path in (store, key_file_of(store)):
        if path.exists():
            for option, set_it in (
                ("owner", module.set_owner_if_different),
                ("group", module.set_group_if_different),
            ):
                result["changed"] = set_it(str(path), module.params[option], result["changed"])
    return result


def main() -> None:
    """Bring the store into the state asked for."""
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "default": "/etc/backupdb/credentials.json"},
            "id": {"type": "str"},
            "state": {"type": "str", "default": "present", "choices": ["present", "absent"]},
            "login_user": {"type": "str"},
            "login_password": {"type": "str", "no_log": True},
            "key": {"type": "str", "default": "file", "choices": ["file", "hostname"], "no_log": False},
            "import_from": {"type": "path"},
            "import_host_name": {"type": "str"},
            "owner": {"type": "str"},
            "group": {"type": "str"},
        },
        required_one_of=[("id", "import_from")],
        required_if=[("state", "absent", ("id",))],
        required_by={"login_user": "id", "login_password": "id", "import_host_name": "import_from"},
        supports_check_mode=True,
    )
    finish_with(module, lambda: work(module), path=module.params["path"])


if __name__ == "__main__":
    main()

# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Change a credential store: import what VYA BackupDB v2 has, set or remove one login, return what is different."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .private_files import one_writer
from .store import Login, Store, login_of, open_store, read_v2, with_login, without_login, write_store


@dataclass(frozen=True)
class StoreChange:
    """What a store is to be like; `key` is `file` or `hostname`.

    With an `id`, its login is set when `present`, and removed otherwise. With `import_from`, logins of that file of
    VYA BackupDB v2 are added; one that the store already has is kept, for it may be newer.
    """

    path: Path
    key: str = "file"
    id: str | None = None
    present: bool = True
    login: Login = field(default_factory=Login)
    import_from: Path | None = None
    import_host_name: str | None = None


def change(wanted: StoreChange, *, check_mode: bool) -> dict[str, Any]:
    """Make the store so; raises `CredentialsMissing` or `InvalidOption`. The result has names, never passwords.

    A password that is the same after decryption is not written again, although every encryption of it looks new.
    """
    if check_mode and not wanted.path.parent.is_dir():
        return _changed(wanted, Store(path=wanted.path, entries={}, key=None))
    with one_writer(wanted.path.parent):
        before = open_store(wanted.path, key=wanted.key)
        result = _changed(wanted, before)
        if result["changed"] and not check_mode:
            write_store(result["store"], key=wanted.key)
    return result


def _changed(wanted: StoreChange, before: Store) -> dict[str, Any]:
    after, imported, kept = before, [], []
    if wanted.import_from is not None:
        for instance_id, login in read_v2(wanted.import_from, wanted.import_host_name).items():
            if instance_id in before.entries:
                kept.append(instance_id)
            else:
                after = with_login(after, instance_id, login)
                imported.append(instance_id)
    if wanted.id is not None:
        after = _with_wanted_login(after, wanted.id, wanted)
    return {
        "changed": after is not before,
        "store": after,
        "ids": sorted(after.entries),
        "imported": imported,
        "kept": kept,
        "diff": {"before": _shown(before, before), "after": _shown(after, before)},
    }


def _with_wanted_login(store: Store, instance_id: str, wanted: StoreChange) -> Store:
    if not wanted.present:
        return without_login(store, instance_id) if instance_id in store.entries else store
    entry = store.entries.get(instance_id)
    if entry is not None and entry.get("encrypted") and login_of(store, instance_id) == wanted.login:
        return store
    return with_login(store, instance_id, wanted.login)


def _shown(store: Store, before: Store) -> str:
    """Return a line per login: the user's name, and of the password only whether it is a new one."""
    lines = []
    for instance_id, entry in sorted(store.entries.items()):
        old = before.entries.get(instance_id)
        password = "password" if old is entry or old is None else "another login"
        lines.append(f"{instance_id}: {entry.get('username') or '(no user)'}, {password}\n")
    return "".join(lines)

# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The credential store: logins by instance id in a JSON file, their passwords encrypted with Fernet.

The format is that of `credentials.json` of VYA BackupDB v2, so that either reads the other's file:
`{INSTANCE: {"username": TEXT, "password": TOKEN, "encrypted": true}}`. The password is plain where `encrypted` is
false. The key of `NAME.json` is in `NAME.key` beside it; where there is no such file it is made of the host name,
as v2 does.

v2 also has `vault.json.enc`, the token of a whole file: `{"version": ..., "credentials": {INSTANCE: {"username": TOKEN,
"password": TOKEN}}}`. That is only imported.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import CredentialsMissing, InvalidOption
from ..system.files import is_there
from .fernet import check_key, decrypt, encrypt, host_name_key, new_key
from .json_object import json_object
from .private_files import read_private_file, replace_private_file


@dataclass(frozen=True)
class Login:
    """How to log in to one instance; None means that the store says nothing about it."""

    user: str | None = None
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Store:
    """A store as it is in its file. `key` is None while a store with a key of its own has not got it yet."""

    path: Path
    entries: Mapping[str, Mapping[str, Any]] = field(repr=False)
    key: bytes | None = field(repr=False)


def key_file_of(path: Path) -> Path:
    """Name the file that holds the key of a store."""
    if path.suffix == ".key":
        raise InvalidOption(f"a store named {path} would have the name of its own key file; call it NAME.json")
    return path.with_suffix(".key")


def read_store(path: Path) -> Store:
    """Read a store that is there, and its key; raises `CredentialsMissing`."""
    key_file = key_file_of(path)
    key = _key_in(read_private_file(key_file), key_file) if is_there(key_file) else host_name_key()
    return Store(path=path, entries=_entries(read_private_file(path), path), key=key)


def open_store(path: Path, *, key: str) -> Store:
    """Read a store in order to change it, or begin one; `key` is `file` or `hostname`. Root may do so for its owner.

    Raises `CredentialsMissing`, or `InvalidOption` when the store has a key of the other kind.
    """
    key_file = key_file_of(path)
    if key == "hostname":
        if is_there(key_file):
            raise InvalidOption(f"the key of {path} is in {key_file}, not made of the host name; use key: file")
        found: bytes | None = host_name_key()
    else:
        found = _key_in(read_private_file(key_file, must_be_mine=False), key_file) if is_there(key_file) else None
    entries = _entries(read_private_file(path, must_be_mine=False), path) if is_there(path) else {}
    if found is None and any(entry.get("encrypted") for entry in entries.values()):
        raise InvalidOption(
            f"{path} is encrypted, but its key file {key_file} is not there; bring that back, or use key: hostname if "
            "the store is one of VYA BackupDB v2 (or better, import it into a new store with import_from)"
        )
    return Store(path=path, entries=entries, key=found)


def login_of(store: Store, instance_id: str) -> Login | None:
    """Return the login of an instance, decrypted; None when the store has no entry. Raises `CredentialsMissing`."""
    entry = store.entries.get(instance_id)
    if entry is None:
        return None
    user, password = entry.get("username"), entry.get("password")
    if entry.get("encrypted") and password is not None:
        password = _decrypted(store, password, instance_id)
    return Login(user=user or None, password=password or None)


def with_login(store: Store, instance_id: str, login: Login) -> Store:
    """Return the store with this login in place of the instance's; the key is made when there is none yet."""
    key = store.key or new_key()
    entry = {**store.entries.get(instance_id, {}), "username": login.user or "", "encrypted": True}
    entry["password"] = encrypt(key, login.password or "")
    return Store(path=store.path, entries={**store.entries, instance_id: entry}, key=key)


def without_login(store: Store, instance_id: str) -> Store:
    """Return the store without the instance."""
    entries = {name: entry for name, entry in store.entries.items() if name != instance_id}
    return Store(path=store.path, entries=entries, key=store.key)


def write_store(store: Store, *, key: str) -> None:
    """Put the store onto the disk, its new key first: an encrypted password without its key would be lost."""
    key_file = key_file_of(store.path)
    if key == "file" and store.key is not None and not is_there(key_file):
        replace_private_file(key_file, store.key + b"\n")
    content = json.dumps(store.entries, indent=2, sort_keys=True, ensure_ascii=True)
    replace_private_file(store.path, content.encode("ascii") + b"\n")


def read_v2(path: Path, host_name: str | None) -> dict[str, Login]:
    """Read the logins of a file of VYA BackupDB v2, either kind; raises `CredentialsMissing`.

    `host_name` is that of the host which wrote it; None means this one. The file may be open to others, as it
    was until now.
    """
    content = read_private_file(path, must_be_private=False, must_be_mine=False)
    key = host_name_key(host_name)
    if content.lstrip().startswith(b"{"):
        store = Store(path=path, entries=_entries(content, path), key=key)
    else:
        text = decrypt(key, content.decode("ascii", "replace").strip())
        if text is None:
            raise CredentialsMissing(f"{path} cannot be decrypted: {_WRONG_HOST}")
        vault = json_object(text.encode("utf-8", "surrogateescape"), str(path), advice=_NO_STORE)
        entries = _checked(vault.get("credentials"), path)
        store = Store(path=path, key=key, entries={name: _of_vault(key, entry) for name, entry in entries.items()})
    found = {instance_id: login_of(store, instance_id) for instance_id in sorted(store.entries)}
    return {instance_id: login for instance_id, login in found.items() if login is not None}


def _of_vault(key: bytes, entry: Mapping[str, Any]) -> dict[str, Any]:
    """Turn an entry of the vault, where the user's name is encrypted too, into one of a store."""
    return {**entry, "username": decrypt(key, entry.get("username") or "") or "", "encrypted": True}


_NO_STORE = "it is not a credential store, or it is damaged"
_WRONG_HOST = (
    "its key is made of the name of the host that wrote it, as `hostname` prints it there; "
    "say that name, or store the logins again"
)


def _decrypted(store: Store, token: str, instance_id: str) -> str:
    text = decrypt(store.key, token) if store.key is not None else None
    if text is None:
        key_file = key_file_of(store.path)
        of = f"the key in {key_file} is another one" if is_there(key_file) else _WRONG_HOST
        raise CredentialsMissing(
            f"the password of {instance_id!r} in {store.path} cannot be decrypted: either it is damaged, or {of}"
        )
    return text


def _key_in(content: bytes, path: Path) -> bytes:
    key = content.strip()
    check_key(key, where=str(path))
    return key


def _entries(content: bytes, path: Path) -> dict[str, Mapping[str, Any]]:
    return _checked(json_object(content, str(path), advice=_NO_STORE), path)


def _checked(entries: Any, path: Path) -> dict[str, Mapping[str, Any]]:
    """Refuse what has not the shape of the format, by the name of the entry, never with what is in it."""
    if not isinstance(entries, dict):
        raise CredentialsMissing(f"{path} has no logins by instance id; it is not a credential store")
    for name, entry in entries.items():
        texts = [entry.get("username"), entry.get("password")] if isinstance(entry, dict) else [0]
        if not all(isinstance(text, (str, type(None))) for text in texts):
            raise CredentialsMissing(
                f"{path}: entry {name!r} has no username and password; remove it or store it again"
            )
    return entries

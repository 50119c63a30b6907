# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The secrets of a job: logins of its instances, the passphrase of its archives, what its notifications need.

They are kept apart from the job's definition, which everyone of the backup group may read. A file of secrets is JSON:
`{"logins": {INSTANCE: {"login_user": ..., "login_password": ...}}, "passphrase": ..., "notifications": {NAME: {...}},
"copies": {NAME: {"access_key_id": ..., "secret_access_key": ...}}}`, and each of the four may be left out. systemd
passes the same content as a credential (`LoadCredential=` and `LoadCredentialEncrypted=`, systemd.exec(5)). A store
holds logins only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import CredentialsMissing
from .json_object import json_object
from .private_files import read_private_file
from .store import Login, login_of, read_store

SOURCES = ("none", "file", "systemd", "store")
_LOGIN_KEYS = {"login_user", "login_password"}
_COPY_KEYS = {"access_key_id", "secret_access_key", "session_token"}


@dataclass(frozen=True)
class Secrets:
    """What a job may not say in its definition; without any, servers are logged in to by peer or unix_socket."""

    logins: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False)
    notifications: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False)
    archive_passphrase: str | None = field(default=None, repr=False)
    copies: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False)

    def login(self, instance_id: str) -> dict[str, str]:
        """Return `login_user` and `login_password` of an instance, as far as they are known."""
        return dict(self.logins.get(instance_id, {}))

    def passphrase(self) -> str | None:
        """Return the passphrase of the archives; None where they are for recipients."""
        return self.archive_passphrase

    def notification(self, name: str) -> dict[str, str]:
        """Return the secret options of a notification, such as `url` and `smtp_password`."""
        return dict(self.notifications.get(name, {}))

    def copy(self, name: str) -> dict[str, str]:
        """Return what opens the store of a copy, such as `access_key_id` and `secret_access_key`."""
        return dict(self.copies.get(name, {}))


def read_secrets(source: str, path: str | None, environ: Mapping[str, str]) -> Secrets:
    """Read a job's secrets from where its definition says; raises `CredentialsMissing`, never with a secret in it.

    `path` is a file, or with source `systemd` the name of a credential. `environ` is the process's environment, by
    by which systemd says where it has put credentials.
    """
    if source == "none":
        return Secrets()
    if source == "file" and path is not None:
        return secrets_from(read_private_file(Path(path)), path)
    if source == "systemd" and path is not None:
        return secrets_from(_credential(path, environ), f"the credential {path}")
    if source == "store" and path is not None:
        store = read_store(Path(path))
        return Secrets(logins={instance_id: _options(login_of(store, instance_id)) for instance_id in store.entries})
    raise CredentialsMissing(f"credentials cannot come from {source!r}; use one of {', '.join(SOURCES)}, with a path")


def secrets_from(content: bytes, where: str) -> Secrets:
    """Understand the content of a file of secrets; raises `CredentialsMissing` which names the key that is wrong."""
    values = json_object(content, where, advice="write it again with the role schedule")
    unknown = sorted(set(values) - {"logins", "passphrase", "notifications", "copies"})
    if unknown:
        raise CredentialsMissing(f"{where}: key {unknown[0]!r} is not known; remove it")
    passphrase = values.get("passphrase")
    if passphrase is not None and not isinstance(passphrase, str):
        raise CredentialsMissing(f"{where}: passphrase is not a text")
    return Secrets(
        logins=_texts(values, "logins", where, _LOGIN_KEYS),
        notifications=_texts(values, "notifications", where, None),
        archive_passphrase=passphrase,
        copies=_texts(values, "copies", where, _COPY_KEYS),
    )


def _texts(values: Mapping[str, Any], key: str, where: str, known: set[str] | None) -> dict[str, dict[str, str]]:
    """Return the named mappings of texts under `key`; empty options count as not given."""
    entries = values.get(key)
    if entries is None:
        return {}
    if not isinstance(entries, dict):
        raise CredentialsMissing(f"{where}: {key} is not an object of names")
    found = {}
    for name, entry in entries.items():
        if not isinstance(entry, dict) or not all(isinstance(value, (str, type(None))) for value in entry.values()):
            raise CredentialsMissing(f"{where}: {key}.{name} is not an object of texts")
        unknown = sorted(set(entry) - known) if known is not None else []
        if unknown:
            raise CredentialsMissing(f"{where}: {key}.{name} has {unknown[0]!r}, which is not known; remove it")
        found[name] = {option: value for option, value in entry.items() if value is not None}
    return found


def _options(login: Login | None) -> dict[str, str]:
    """Turn a login of a store into the options it means."""
    options = {} if login is None else {"login_user": login.user, "login_password": login.password}
    return {name: value for name, value in options.items() if value is not None}


def _credential(name: str, environ: Mapping[str, str]) -> bytes:
    """Read what systemd passes to this process; it guards the folder itself, with owners and modes of its own."""
    folder = environ.get("CREDENTIALS_DIRECTORY")
    if not folder:
        raise CredentialsMissing(
            f"systemd passes the credential {name!r} to the job's service only; start that, with "
            f"`systemctl start backupdb-{name}.service`"
        )
    return read_private_file(Path(folder, name), must_be_private=False, must_be_mine=False)

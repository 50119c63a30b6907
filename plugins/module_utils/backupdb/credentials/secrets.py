# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The secrets of a job: logins of its instances, the passphrase of its archives, what its notifications need.

They are kept apart from the job's definition, which everyone of the backup group may read. A file of secrets is JSON:
`{"logins": {INSTANCE: {"login_user": ..., "login_password": ...}}, "passphrase": ..., "notifications": {NAME: {...}}}`,
and each of the three may be left out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import CredentialsMissing
from ..repository.files import read_small_file

SOURCES = ("none", "file")
_LARGEST_FILE = 1 << 20  # bytes
_LOGIN_KEYS = {"login_user", "login_password"}


@dataclass(frozen=True)
class Secrets:
    """What a job may not say in its definition; without any, servers are logged in to by peer or unix_socket."""

    logins: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False)
    notifications: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False)
    archive_passphrase: str | None = field(default=None, repr=False)

    def login(self, instance_id: str) -> dict[str, str]:
        """Return `login_user` and `login_password` of an instance, as far as they are known."""
        return dict(self.logins.get(instance_id, {}))

    def passphrase(self) -> str | None:
        """Return the passphrase of the archives; None where they are for recipients."""
        return self.archive_passphrase

    def notification(self, name: str) -> dict[str, str]:
        """Return the secret options of a notification, such as `url` and `smtp_password`."""
        return dict(self.notifications.get(name, {}))


def read_secrets(source: str, path: str | None, environ: Mapping[str, str]) -> Secrets:
    """Read a job's secrets from where its definition says; raises `CredentialsMissing`, never with a secret in it.

    `environ` is the process's environment, by which systemd tells where it has put credentials.
    """
    if source == "none":
        return Secrets()
    if source == "file" and path is not None:
        return secrets_from(_content(Path(path)), path)
    raise CredentialsMissing(f"credentials cannot come from {source!r}; use one of {', '.join(SOURCES)}, with a path")


def secrets_from(content: bytes, where: str) -> Secrets:
    """Understand the content of a file of secrets; raises `CredentialsMissing` which names the key that is wrong."""
    try:
        values = json.loads(content)
    except (ValueError, RecursionError):
        raise CredentialsMissing(f"{where} is not JSON; write it again with the role schedule") from None
    if not isinstance(values, dict):
        raise CredentialsMissing(f"{where} is not a JSON object; write it again with the role schedule")
    unknown = sorted(set(values) - {"logins", "passphrase", "notifications"})
    if unknown:
        raise CredentialsMissing(f"{where}: key {unknown[0]!r} is not known; remove it")
    passphrase = values.get("passphrase")
    if passphrase is not None and not isinstance(passphrase, str):
        raise CredentialsMissing(f"{where}: passphrase is not a text")
    return Secrets(
        logins=_texts(values, "logins", where, _LOGIN_KEYS),
        notifications=_texts(values, "notifications", where, None),
        archive_passphrase=passphrase,
    )


def _texts(values: Mapping[str, Any], key: str, where: str, known: set[str] | None) -> dict[str, dict[str, str]]:
    """Return the named mappings of texts under `key`; empty options count as not given."""
    entries = values.get(key) or {}
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


def _content(path: Path) -> bytes:
    try:
        return read_small_file(path, _LARGEST_FILE)
    except OSError as error:
        raise CredentialsMissing(
            f"the credentials in {path} cannot be read: {error.strerror}; "
            "the file must belong to the user who runs the job, with mode 0600"
        ) from error

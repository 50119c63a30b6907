# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Ansible checks of options together, as keyword arguments of `AnsibleModule`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...backupdb.repository.options import FILTER_OPTIONS

CONNECTION_CONSTRAINTS: Mapping[str, Any] = {
    "mutually_exclusive": [("login_host", "login_unix_socket")],
    "required_one_of": [("login_host", "login_unix_socket")],
    "required_together": [("client_cert", "client_key")],
}
BACKUP_CONSTRAINTS: Mapping[str, Any] = {
    "mutually_exclusive": [*CONNECTION_CONSTRAINTS["mutually_exclusive"], ("recipients", "passphrase")],
    "required_one_of": CONNECTION_CONSTRAINTS["required_one_of"],
    "required_together": CONNECTION_CONSTRAINTS["required_together"],
    "required_if": [("encryption", "age", ("recipients", "passphrase"), True)],
}
# Which one backup.
SOURCE_CONSTRAINTS: Mapping[str, Any] = {
    "mutually_exclusive": [
        ("path", "latest", "at", "backup_id"),
        ("path", "instance"),
        ("path", "host"),
        ("path", "copy"),
        ("repository", "copy"),
    ],
    # Without a path it is the repository, or a copy, which the library asks for: Ansible cannot say "one of these".
    "required_one_of": [("path", "latest", "at", "backup_id"), ("path", "instance")],
}
# Backups by their paths, or those of a repository that a filter takes.
PATHS_CONSTRAINTS: Mapping[str, Any] = {
    "mutually_exclusive": [
        ("repository", "copy"),
        *(("paths", option) for option in ("repository", "copy", *FILTER_OPTIONS)),
    ],
    "required_one_of": [("paths", "repository", "copy")],
}
# All of a repository, or of a copy.
LISTING_CONSTRAINTS: Mapping[str, Any] = {
    "mutually_exclusive": [("repository", "copy")],
    "required_one_of": [("repository", "copy")],
}
# The same, or the best one of a repository and several copies.
BEST_CONSTRAINTS: Mapping[str, Any] = {
    "mutually_exclusive": [("repository", "copy"), ("copy", "copies")],
    "required_one_of": [("repository", "copy", "copies")],
}
RESTORE_CONSTRAINTS: Mapping[str, Any] = {
    "mutually_exclusive": [
        *CONNECTION_CONSTRAINTS["mutually_exclusive"],
        *SOURCE_CONSTRAINTS["mutually_exclusive"],
        ("path", "database"),
        ("copy", "copies"),
    ],
    "required_one_of": [
        *CONNECTION_CONSTRAINTS["required_one_of"],
        *SOURCE_CONSTRAINTS["required_one_of"],
        ("path", "database"),
    ],
    "required_together": CONNECTION_CONSTRAINTS["required_together"],
    "required_by": {"path": "target_instance"},
}
ACCOUNT_RESTORE_CONSTRAINTS: Mapping[str, Any] = {
    "mutually_exclusive": [*CONNECTION_CONSTRAINTS["mutually_exclusive"], *SOURCE_CONSTRAINTS["mutually_exclusive"]],
    "required_one_of": [*CONNECTION_CONSTRAINTS["required_one_of"], *SOURCE_CONSTRAINTS["required_one_of"]],
    "required_together": CONNECTION_CONSTRAINTS["required_together"],
    "required_by": {"path": "target_instance"},
}
# A server or a backup.
_PLACES = ("login_host", "login_unix_socket", "path", "latest", "at", "backup_id")
ACCOUNT_INFO_CONSTRAINTS: Mapping[str, Any] = {
    "mutually_exclusive": [_PLACES, *SOURCE_CONSTRAINTS["mutually_exclusive"][1:]],
    "required_one_of": [_PLACES],
    "required_together": CONNECTION_CONSTRAINTS["required_together"],
    "required_by": {
        "login_host": ("engine", "instance"),
        "login_unix_socket": ("engine", "instance"),
        **{name: "instance" for name in ("latest", "at", "backup_id")},
    },
}
PIN_CONSTRAINTS: Mapping[str, Any] = {
    "mutually_exclusive": [("path", option) for option in ("repository", "host", "instance", "database", "backup_id")],
    "required_one_of": [("path", "repository")],
    "required_together": [("repository", "instance", "backup_id")],
}

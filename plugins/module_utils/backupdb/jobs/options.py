# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options that jobs and the command line have, with their kinds and defaults; secrets are not among them.

They are those of the modules database_backup, backup_drill and database_restore, so that what a playbook does and what
a host does by itself are written in the same words.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..errors import InvalidOption

REQUIRED = object()
_KINDS: Mapping[str, tuple[type, str]] = {
    "text": (str, "a text"),
    "number": (int, "a whole number"),
    "switch": (bool, "true or false"),
    "texts": (list, "a list of texts"),
    "names": (dict, "an object of names"),
}

CONNECTION_OPTIONS: Mapping[str, tuple[str, Any]] = {
    "instance": ("text", REQUIRED),
    "engine": ("text", REQUIRED),
    "login_host": ("text", None),
    "login_port": ("number", None),
    "login_user": ("text", None),
    "login_unix_socket": ("text", None),
    "login_db": ("text", None),
    "ssl_mode": ("text", "prefer"),
    "ca_cert": ("text", None),
    "client_cert": ("text", None),
    "client_key": ("text", None),
    "connect_timeout": ("number", 10),
}
BACKUP_OPTIONS: Mapping[str, tuple[str, Any]] = {
    **CONNECTION_OPTIONS,
    "databases": ("texts", ["*"]),
    "exclude": ("texts", []),
    "jobs": ("number", 1),
    "triggers": ("switch", True),
    "routines": ("switch", True),
    "events": ("switch", True),
    "row_counts": ("switch", False),
    "fingerprints": ("switch", False),
    "allow_newer_client": ("switch", False),
    "accounts": ("switch", True),
    "allow_empty": ("switch", False),
    "repository": ("text", REQUIRED),
    "host": ("text", REQUIRED),
    "encryption": ("text", "age"),
    "recipients": ("texts", None),
    "compression": ("text", "zstd"),
    "compression_level": ("number", None),
    "compression_threads": ("number", 1),
    "workers": ("number", None),
    "skip_if_newer_than": ("text", None),
    "timeout": ("text", None),
    "db_lock_timeout": ("text", "60s"),
    "repository_lock_timeout": ("text", "0s"),
    "nice": ("number", 0),
    "bandwidth_limit": ("text", None),
}
# Which backups are the job's follows from its backups; a drill only picks among them.
DRILL_OPTIONS: Mapping[str, tuple[str, Any]] = {
    "every": ("text", REQUIRED),
    "identity_file": ("text", None),
    "database": ("text", None),
    "status": ("text", None),
    "select": ("text", "newest"),
    "count": ("number", 1),
    "work_dir": ("text", None),
    "run_as": ("text", None),
    "jobs": ("number", 1),
    "timeout": ("text", None),
}
# Which backup, and which server, follows from the command's own arguments.
RESTORE_OPTIONS: Mapping[str, tuple[str, Any]] = {
    "target": ("text", None),
    "replace": ("switch", False),
    "confirm": ("text", None),
    "safety_backup": ("switch", True),
    "safety_repository": ("text", None),
    "safety_host": ("text", None),
    "safety_recipients": ("texts", None),
    "keep_replaced": ("switch", True),
    "keep_failed": ("switch", False),
    "accept_errors": ("switch", False),
    "tables": ("texts", []),
    "schema_only": ("switch", False),
    "data_only": ("switch", False),
    "jobs": ("number", 1),
    "spool": ("switch", False),
    "spool_directory": ("text", None),
    "owner_policy": ("text", "keep"),
    "owner_map": ("names", {}),
    "acl_policy": ("text", "keep"),
    "definer_policy": ("text", "keep"),
    "extensions": ("text", "create"),
    "allow_qualified_references": ("switch", False),
    "enable_events": ("switch", False),
    "timeout": ("text", None),
}


def validate_options(values: Any, table: Mapping[str, tuple[str, Any]], where: str) -> dict[str, Any]:
    """Return all options of the table: the given ones, checked by their kind, and the defaults of the others.

    Raises `InvalidOption`, which says where and names the key.
    """
    if not isinstance(values, Mapping):
        raise InvalidOption(f"{where} is not an object of options")
    for key in values:
        if key in ("login_password", "passphrase", "identity"):
            raise InvalidOption(f"{where}.{key} is a secret and does not belong here; put it into the credentials")
        if key not in table:
            raise InvalidOption(f"{where}.{key} is not known; remove it, or look for how it is written")
    options = {}
    for key, (kind, default) in table.items():
        value = values.get(key)
        if value is None:
            if default is REQUIRED:
                raise InvalidOption(f"{where}.{key} is missing")
            options[key] = default
        elif _is(value, kind):
            options[key] = value
        else:
            raise InvalidOption(f"{where}.{key}: {value!r} is not {_KINDS[kind][1]}")
    return options


def parse_assignment(text: str, table: Mapping[str, tuple[str, Any]]) -> tuple[str, Any]:
    """Read `NAME=VALUE` of the command line: all that is not text is written as JSON. Raises `InvalidOption`."""
    name, separator, value = text.partition("=")
    if not separator or name not in table:
        raise InvalidOption(f"{text!r} is not NAME=VALUE with one of the names {', '.join(table)}")
    if table[name][0] == "text":
        return name, value
    try:
        return name, json.loads(value)
    except ValueError:
        raise InvalidOption(f"{name}: {value!r} is not {_KINDS[table[name][0]][1]}, written as JSON") from None


def _is(value: Any, kind: str) -> bool:
    if kind == "texts":
        return isinstance(value, list) and all(isinstance(entry, str) for entry in value)
    return isinstance(value, _KINDS[kind][0]) and (kind == "switch" or not isinstance(value, bool))

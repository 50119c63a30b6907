# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module options of the collection.

Each `*_arguments` function has a documentation fragment of the same name that matches it key for key. The way into
the library's values is the library's own (options.py), so that a job's file goes the same way.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.module_utils.basic import env_fallback

from ...backupdb.backup.options import dump_options_from, request_from, selection_from, short_host_name
from ...backupdb.connection.instance import SSL_MODES
from ...backupdb.connection.options import instance_from
from ...backupdb.engines.registry import ENGINE_NAMES

__all__ = [
    "BACKUP_CONSTRAINTS",
    "CONNECTION_CONSTRAINTS",
    "backup_arguments",
    "connection_arguments",
    "dump_arguments",
    "dump_options_from",
    "instance_from",
    "request_from",
    "selection_arguments",
    "selection_from",
    "short_host_name",
]

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


def connection_arguments() -> dict[str, Any]:
    """Options that say which server is meant and how to log in."""
    return {
        "instance": {"type": "str", "required": True},
        "engine": {"type": "str", "required": True, "choices": list(ENGINE_NAMES)},
        "login_host": {"type": "str"},
        "login_port": {"type": "int"},
        "login_user": {"type": "str", "fallback": (env_fallback, ["BACKUPDB_LOGIN_USER"])},
        "login_password": {"type": "str", "no_log": True, "fallback": (env_fallback, ["BACKUPDB_LOGIN_PASSWORD"])},
        "login_unix_socket": {"type": "path"},
        "login_db": {"type": "str"},
        "ssl_mode": {"type": "str", "default": "prefer", "choices": list(SSL_MODES)},
        "ca_cert": {"type": "path"},
        "client_cert": {"type": "path"},
        "client_key": {"type": "path", "no_log": False},
        "connect_timeout": {"type": "int", "default": 10},
    }


def selection_arguments() -> dict[str, Any]:
    """Options that say which databases of the instance are meant."""
    return {
        "databases": {"type": "list", "elements": "str", "default": ["*"]},
        "exclude": {"type": "list", "elements": "str", "default": []},
    }


def dump_arguments() -> dict[str, Any]:
    """Options that change what is dumped, and so which rights and clients are needed."""
    return {
        "jobs": {"type": "int", "default": 1},
        "triggers": {"type": "bool", "default": True},
        "routines": {"type": "bool", "default": True},
        "events": {"type": "bool", "default": True},
        "row_counts": {"type": "bool", "default": False},
        "fingerprints": {"type": "bool", "default": False},
        "allow_newer_client": {"type": "bool", "default": False},
    }


def backup_arguments() -> dict[str, Any]:
    """Options that only a run has: where to, how stored, and within which limits."""
    return {
        "accounts": {"type": "bool", "default": True},
        "allow_empty": {"type": "bool", "default": False},
        "repository": {"type": "path", "required": True},
        "host": {"type": "str"},
        "encryption": {"type": "str", "default": "age", "choices": ["age", "none"]},
        "recipients": {"type": "list", "elements": "str"},
        "passphrase": {"type": "str", "no_log": True, "fallback": (env_fallback, ["BACKUPDB_PASSPHRASE"])},
        "compression": {"type": "str", "default": "zstd", "choices": ["zstd", "gzip", "none"]},
        "compression_level": {"type": "int"},
        "compression_threads": {"type": "int", "default": 1},
        "workers": {"type": "int"},
        "skip_if_newer_than": {"type": "str"},
        "timeout": {"type": "str"},
        "db_lock_timeout": {"type": "str", "default": "60s"},
        "repository_lock_timeout": {"type": "str", "default": "0s"},
        "nice": {"type": "int", "default": 0},
        "bandwidth_limit": {"type": "str"},
    }

# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module options of what reads backups, and their way into the library's values.

Each `*_arguments` function has a documentation fragment of the same name that matches it key for key.
"""

from __future__ import annotations

from typing import Any

from ansible.module_utils.basic import env_fallback

from ...backupdb.archives.keys import keys_from
from ...backupdb.repository.manifest import KINDS, STATUSES
from ...backupdb.repository.options import filter_from
from ...backupdb.system.options import moment_from

__all__ = [
    "catalogue_arguments",
    "filter_from",
    "identity_arguments",
    "keys_from",
    "moment_from",
    "repository_arguments",
]


def repository_arguments() -> dict[str, Any]:
    """The option that says where backups rest."""
    return {"repository": {"type": "path"}}


def identity_arguments() -> dict[str, Any]:
    """Options that say what opens encrypted archives."""
    return {
        "identity_file": {"type": "path"},
        "identity": {"type": "str", "no_log": True},
        "passphrase": {"type": "str", "no_log": True, "fallback": (env_fallback, ["BACKUPDB_PASSPHRASE"])},
    }


def catalogue_arguments() -> dict[str, Any]:
    """Options that pick backups of a repository."""
    return {
        "host": {"type": "str"},
        "instance": {"type": "str"},
        "database": {"type": "str"},
        "kind": {"type": "str", "choices": list(KINDS)},
        "status": {"type": "str", "choices": list(STATUSES)},
        "since": {"type": "str"},
        "until": {"type": "str"},
        "proven": {"type": "bool"},
    }

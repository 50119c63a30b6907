# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module options of what reads backups, and their way into the library's values.

Each `*_arguments` function has a documentation fragment of the same name that matches it key for key.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ansible.module_utils.basic import env_fallback

from .backupdb.errors import InvalidOption
from .backupdb.identities import Keys
from .backupdb.repository.catalogue import Filter
from .backupdb.repository.manifest import KINDS, STATUSES
from .backupdb.text import parse_moment


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


def keys_from(options: Mapping[str, Any]) -> Keys:
    """Make the library's keys; they are read when they are needed."""
    return Keys(identity_file=options["identity_file"], identity=options["identity"], passphrase=options["passphrase"])


def filter_from(options: Mapping[str, Any]) -> Filter:
    """Make the library's filter; raises `InvalidOption`."""
    return Filter(
        host=options["host"],
        instance=options["instance"],
        database=options["database"],
        kind=options["kind"],
        status=options["status"],
        since=moment_from(options, "since"),
        until=moment_from(options, "until"),
        proven=options["proven"],
    )


def moment_from(options: Mapping[str, Any], name: str) -> datetime | None:
    """Read an option that is a moment; raises `InvalidOption` which names it."""
    if options[name] is None:
        return None
    try:
        return parse_moment(options[name])
    except InvalidOption as error:
        raise InvalidOption(f"option {name}: {error}") from error

# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of a restore as plain values on their way into the library's request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..archives import options as archives
from ..archives.envelope import Encryption
from ..archives.keys import keys_from
from ..backup.options import short_host_name
from ..connection.options import SYSTEM_USER, instance_from
from ..engines import options as engines
from ..engines.values import RestoreOptions, Script
from ..repository.options import (
    COPIES_OPTIONS,
    REPOSITORY_OPTIONS,
    SOURCE_OPTIONS,
    copy_source_from,
    copy_sources_from,
    selector_from,
)
from ..signatures import options as signatures
from ..signatures.options import signed_by_from
from ..system.options import Option, duration_from, validate_options
from ..system.text import one_line
from .request import (
    ACL_POLICIES,
    DEFINER_POLICIES,
    EXTENSION_POLICIES,
    OWNER_POLICIES,
    RestoreRequest,
    Safety,
)

MASKING_OPTIONS: Mapping[str, Option] = {
    "name": Option(required=True),
    "sql": Option(required=True, secret=True),
}
# How the backup is brought back. Which backup, into which server, and what opens it is said by the other options.
RESTORE_OPTIONS: Mapping[str, Option] = {
    "target": Option(),
    "replace": Option("bool", default=False),
    "confirm": Option(),
    "safety_backup": Option("bool", default=True),
    "safety_repository": Option("path"),
    "safety_host": Option(),
    "safety_recipients": Option("list", elements="str"),
    **signatures.OPTIONS,
    "keep_replaced": Option("bool", default=True),
    "keep_failed": Option("bool", default=False),
    "accept_errors": Option("bool", default=False),
    "tables": Option("list", elements="str", default=[]),
    "schema_only": Option("bool", default=False),
    "data_only": Option("bool", default=False),
    "jobs": Option("int", default=1),
    "spool": Option("bool", default=False),
    "spool_directory": Option("path"),
    "owner_policy": Option(default="keep", choices=OWNER_POLICIES),
    "owner_map": Option("dict", default={}),
    "acl_policy": Option(default="keep", choices=ACL_POLICIES),
    "definer_policy": Option(default="keep", choices=DEFINER_POLICIES),
    "extensions": Option(default="create", choices=EXTENSION_POLICIES),
    "allow_qualified_references": Option("bool", default=False),
    "enable_events": Option("bool", default=False),
    "load_with_own_rights": Option("bool", default=False),
    "masking": Option("list", elements="dict", default=[], options=MASKING_OPTIONS),
    "only_elsewhere": Option("bool", default=False),
    "timeout": Option(),
}
# The login is that of the server restored into; `instance` is the backup's.
OPTIONS: Mapping[str, Option] = {
    **engines.OPTIONS,
    **SYSTEM_USER,
    **REPOSITORY_OPTIONS,
    **SOURCE_OPTIONS,
    "database": Option(),
    **archives.OPTIONS,
    **COPIES_OPTIONS,
    "target_instance": Option(),
    "proven": Option("bool", default=False),
    **RESTORE_OPTIONS,
}


def restore_request_from(options: Mapping[str, Any]) -> RestoreRequest:
    """Make the library's request for one restore; raises `InvalidOption`."""
    wanted = selector_from(options)
    # The instance of the options is the backup's; the login is that of the server restored into.
    name = options["target_instance"] or options["instance"]
    recipients = tuple(options["safety_recipients"] or ())
    return RestoreRequest(
        instance=replace(instance_from(options), id=name),
        wanted=wanted,
        options=_restore_options_from(options),
        repository=options["repository"],
        keys=keys_from(options),
        target=options["target"],
        replace=options["replace"],
        confirm=options["confirm"],
        safety=Safety(
            wanted=options["safety_backup"],
            repository=options["safety_repository"],
            host=options["safety_host"] or short_host_name(),
            encryption=Encryption(recipients=recipients) if recipients else None,
        ),
        accept_errors=options["accept_errors"],
        keep_failed=options["keep_failed"],
        keep_replaced=options["keep_replaced"],
        signed_by=signed_by_from(options),
        copy=copy_source_from(options),
        copies=copy_sources_from(options),
        masking=_masking_from(options["masking"]),
        only_elsewhere=options["only_elsewhere"],
    )


def _masking_from(entries: Sequence[Any]) -> tuple[Script, ...]:
    scripts = [validate_options(one, MASKING_OPTIONS, f"masking[{number}]") for number, one in enumerate(entries)]
    return tuple(Script(name=one_line(script["name"]), sql=script["sql"]) for script in scripts)


def _restore_options_from(options: Mapping[str, Any]) -> RestoreOptions:
    return RestoreOptions(
        jobs=options["jobs"],
        tables=tuple(options["tables"]),
        schema_only=options["schema_only"],
        data_only=options["data_only"],
        owner_policy=options["owner_policy"],
        acl_policy=options["acl_policy"],
        definer_policy=options["definer_policy"],
        owner_map={str(old): str(new) for old, new in options["owner_map"].items()},
        extensions=options["extensions"],
        allow_qualified_references=options["allow_qualified_references"],
        enable_events=options["enable_events"],
        load_with_own_rights=options["load_with_own_rights"],
        spool=options["spool"],
        spool_folder=options["spool_directory"],
        timeout=duration_from(options, "timeout"),
    )

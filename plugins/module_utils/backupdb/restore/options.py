# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of a restore as plain values on their way into the library's request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..archives.envelope import Encryption
from ..archives.keys import keys_from
from ..backup.options import short_host_name
from ..connection.options import instance_from
from ..engines.values import RestoreOptions
from ..repository.options import selector_from
from ..system.options import duration_from
from .request import RestoreRequest, Safety


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
    )


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
        spool=options["spool"],
        spool_folder=options["spool_directory"],
        timeout=duration_from(options, "timeout"),
    )

# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of a gate as plain values on their way into the library's request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..backup.options import SELECTION_OPTIONS, selection_from, short_host_name
from ..connection.options import instance_from
from ..engines import options as engines
from ..jobs.definition import Job, job_names, job_path, read_job
from ..repository.options import COPY_STATE_DIR
from ..repository.stores.settings import copies_from
from ..system.options import Option, duration_from
from .request import GateRequest

OPTIONS: Mapping[str, Option] = {
    **engines.OPTIONS,
    **SELECTION_OPTIONS,
    "repository": Option("path"),
    "host": Option(),
    "config_dir": Option("path"),
    "max_age": Option(),
    "proven": Option("bool", default=False),
    "proven_max_age": Option(),
    "copies": Option("list", elements="dict", default=[]),
    "copy_state_dir": Option("path", default=COPY_STATE_DIR),
    "required_copies": Option("list", elements="str"),
    "ask_server": Option("bool", default=True),
}


def gate_request_from(options: Mapping[str, Any], jobs: Sequence[Job] = ()) -> GateRequest:
    """Make the library's request, of these jobs and those of the folder that is named. Raises `InvalidOption`."""
    folder = options["config_dir"]
    names = options["required_copies"]
    return GateRequest(
        instance=instance_from(options),
        host=options["host"] or short_host_name(),
        selection=selection_from(options),
        repository=options["repository"],
        jobs=(*jobs, *(read_job(job_path(folder, name)) for name in (job_names(folder) if folder else ()))),
        max_age=duration_from(options, "max_age"),
        proven=options["proven"],
        proven_max_age=duration_from(options, "proven_max_age"),
        copies=tuple(copies_from(list(options["copies"]), "copies")),
        state_dir=options["copy_state_dir"],
        required_copies=None if names is None else tuple(names),
        ask_server=options["ask_server"],
    )

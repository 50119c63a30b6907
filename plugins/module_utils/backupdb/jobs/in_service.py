# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Doing something for a job as its service would: with systemd's credentials, as its user, shut in as it is.

The service is not touched: a transient unit gets what the unit file of the service says, and other arguments.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..system.files import is_folder, read_small_file
from ..system.json_text import read_json
from ..system.process import run_captured
from .definition import Job

UNIT_FOLDER = "/etc/systemd/system"
INSIDE = "BACKUPDB_INSIDE_OF_SERVICE"  # set for the program that is run so; it must not do the same again
_SYSTEMD = "/run/systemd/system"
_LARGEST_UNIT = 1 << 20  # bytes
_SECONDS = 900.0
_SHOWN = 500  # characters
# What is about the run of the job itself, and not about how the process is kept.
_OF_THE_RUN = ("ExecStart", "Type", "StandardOutput", "StandardError", "SuccessExitStatus")


def answer_of_service(
    job: Job, arguments: Sequence[str], environ: Mapping[str, str], *, unit_folder: str = UNIT_FOLDER
) -> dict[str, Any] | str | None:
    """Run `backupdb` with these arguments as the service of the job, and return the JSON document that it printed.

    None where there is no such service, or only root could do that; a text that says why it did not work.
    """
    if os.geteuid() != 0 or INSIDE in environ or not is_folder(Path(_SYSTEMD)):
        return None
    try:
        unit = read_small_file(Path(unit_folder, f"backupdb-{job.name}.service"), _LARGEST_UNIT, follow=True)
    except OSError:
        return None
    words = words_of_service(unit.decode("utf-8", "replace"), arguments)
    if words is None:
        return None
    done = run_captured(words, timeout=_SECONDS)
    try:
        return dict(read_json(done.stdout))
    except (ValueError, TypeError):
        return f"backupdb could not be run as the service of job {job.name}: {done.stderr.strip()[:_SHOWN]}"


def words_of_service(unit: str, arguments: Sequence[str]) -> list[str] | None:
    """Return the words that run the program of a service with other arguments; None for what is no service of ours."""
    settings = list(_settings(unit))
    program = next((shlex.split(value)[:1] for name, value in settings if name == "ExecStart"), [])
    if not program:
        return None
    return [
        "systemd-run",
        "--quiet",
        "--wait",
        "--pipe",
        "--collect",
        f"--setenv={INSIDE}=1",
        *(f"--property={name}={value}" for name, value in settings if name not in _OF_THE_RUN),
        "--",
        *program,
        *arguments,
    ]


def _settings(unit: str) -> Iterator[tuple[str, str]]:
    """Yield what the section [Service] says, in its order."""
    section = ""
    for line in map(str.strip, unit.splitlines()):
        if line.startswith("["):
            section = line
        elif section == "[Service]" and "=" in line and not line.startswith(("#", ";")):
            name, _equals, value = line.partition("=")
            yield name.strip(), value.strip().replace("%%", "%")

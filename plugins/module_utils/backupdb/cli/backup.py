# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run one backup; the request is JSON on standard input, named as the parts of a request are."""

from __future__ import annotations

import argparse
import json
import sys
import time
from typing import Any, Callable

from ..archives.envelope import Encryption
from ..backup import run as backup
from ..backup.progress import Progress
from ..backup.request import BackupRequest, Selection
from ..connection.instance import Instance
from ..engines.filters import Filters
from ..engines.values import DumpOptions
from ..errors import InvalidOption
from ..streams.compression import Compression
from ..system.text import progress_text
from . import exit_status
from .live_line import Report, live_line
from .output import write_json


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the command's options."""
    parser.add_argument("--check", action="store_true", help="only plan")
    parser.add_argument("--json", action="store_true", help="the result is JSON in any case")


def run(options: argparse.Namespace) -> int:
    """Run it and return the exit status."""
    request = request_from(_request_on_input())
    with live_line() as live:
        result = backup.run(request, check_mode=options.check, report=None if live is None else _reporter(live))
    write_json(result)
    return exit_status.of_result(result)


def _reporter(live: Report) -> Callable[[Progress], None]:
    """Return what shows the progress of a run; its end is a forecast."""
    began = time.monotonic()

    def report(progress: Progress) -> None:
        far = progress_text(progress.stored_bytes, progress.expected_bytes, time.monotonic() - began)
        now = f", now {', '.join(progress.in_progress)}" if progress.in_progress else ""
        live(f"{len(progress.done)} of {progress.total} done, {far}{now}")

    return report


def request_from(values: dict[str, Any]) -> BackupRequest:
    """Build a request from nested plain values, named as the fields of the request's parts are."""
    try:
        dump = values.pop("dump", {})
        filters = Filters(**_tuples(dump.pop("filters", {})))
        return BackupRequest(
            instance=Instance(**values.pop("instance")),
            selection=Selection(**_tuples(values.pop("selection", {}))),
            dump=DumpOptions(filters=filters, **dump),
            encryption=Encryption(**_tuples(values.pop("encryption", {}))),
            compression=Compression(**values.pop("compression", {})),
            **values,
        )
    except (KeyError, TypeError) as error:
        raise InvalidOption(f"the request is not well formed: {error}") from error


def _request_on_input() -> dict[str, Any]:
    try:
        request = json.load(sys.stdin)
    except ValueError as error:
        raise InvalidOption(f"the request on standard input is not JSON: {error}") from error
    if not isinstance(request, dict):
        raise InvalidOption("the request on standard input is not a JSON object")
    return request


def _tuples(values: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}

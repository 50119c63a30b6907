# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decide whether a deployment may begin: no database is without a young backup, also in required copies."""

from __future__ import annotations

import argparse
import os
from typing import Any

from ..credentials.secrets import Secrets, read_secrets
from ..gate import run as gate
from ..gate.options import OPTIONS, gate_request_from
from ..jobs.definition import Job, job_path, read_job
from ..system.options import defaults_of
from ..system.parallel import result_of
from ..system.text import counted
from . import exit_status
from .common_options import add_config_dir
from .output import add_json, show


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the command's options."""
    parser.add_argument("job", help="the job that backs the databases up")
    parser.add_argument(
        "--database",
        action="append",
        dest="databases",
        help="name or pattern (default: as the job has)",
    )
    parser.add_argument("--exclude", action="append", help="a name or pattern that is left out; may be repeated")
    parser.add_argument("--max-age", help="how old backups may be, such as 12h (default: as the job allows)")
    parser.add_argument("--proven", action="store_true", help="a drill must have proven one of the backups")
    parser.add_argument("--proven-max-age", metavar="AGE", help="how old the newest proven backup may be, such as 8d")
    parser.add_argument(
        "--copy",
        action="append",
        dest="copies",
        metavar="NAME",
        help="a copy that must have it (default: required ones)",
    )
    parser.add_argument("--no-server", action="store_true", help="do not ask the server which databases it has")
    add_config_dir(parser)
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Judge and return the exit status: failed when a database does not pass."""
    job = read_job(job_path(options.config_dir, options.job))
    secrets = Secrets() if options.no_server else read_secrets(job.credentials_source, job.credentials_path, os.environ)
    results = [_gate(job, entry, secrets, options) for entry in job.backups]
    failing = [result for result in results if result["status"] != "ok"]
    result = {
        "status": "failed" if failing else "ok",
        "message": "; ".join(one["message"] for one in failing or results),
        "rows": [row for one in results for row in one.get("rows", ())],
        "lines": [line for one in results for line in one.get("lines", [one["message"]])],
        "warnings": [line for one in results for line in one.get("warnings", ())],
    }
    show(result, [*result["lines"], f"{result['status']}: {_short(results)}"], as_json=options.json)
    return exit_status.of_result(result)


def _short(results: list[dict[str, Any]]) -> str:
    rows = [row for one in results for row in one.get("rows", ())]
    unknown = sum("rows" not in one for one in results)
    told = f"{sum(row['passed'] for row in rows)} of {len(rows)} databases pass"
    return told + (f", {counted(unknown, 'instance')} could not be looked at" if unknown else "")


def _gate(job: Job, entry: Any, secrets: Secrets, options: argparse.Namespace) -> dict[str, Any]:
    complete = {
        **defaults_of(OPTIONS),
        **{name: entry[name] for name in OPTIONS if name in entry},
        **secrets.login(entry["instance"]),
        "repository": None,
        "config_dir": None,
        "max_age": options.max_age,
        "proven": options.proven,
        "proven_max_age": options.proven_max_age,
        "required_copies": options.copies,
        "ask_server": not options.no_server,
        "databases": options.databases or entry["databases"],
        "exclude": [*entry["exclude"], *(options.exclude or ())],
    }
    done = result_of(lambda: gate.run(gate_request_from(complete, [job])))
    if done.error is not None:
        return {"status": "failed", "message": f"instance {entry['instance']}: {done.error}"}
    return done.value or {}

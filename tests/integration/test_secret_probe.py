# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every module, with every secret that it takes: nothing of it in output, result, arguments of programs or files."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.ansible import Ansible, this_machine
from support.process_watch import ProcessWatch
from support.secret_probe import CALLS, ROLE_VARIABLES, SECRETS, call_of, given

ROLES = [
    *("account", "backup", "copy", "drill", "evidence", "gate", "prune", "rebuild", "refresh", "report", "restore"),
    *("schedule", "status", "verify"),
]
PLACES = (Path("/tmp"), Path("/var/tmp"))  # noqa: S108


def entries() -> set[Path]:
    """What lies in the shared folders."""
    return {path for place in PLACES for path in place.iterdir()}


def files_in(new: set[Path]) -> Iterator[Path]:
    """The small regular files in and below these."""
    for top in new:
        below = top.rglob("*") if top.is_dir() and not top.is_symlink() else [top]
        for path in below:
            try:
                status = path.lstat()
            except OSError:
                continue
            if stat.S_ISREG(status.st_mode) and status.st_size < 1 << 20:
                yield path


@pytest.mark.parametrize("check", [False, True], ids=["run", "check"])
def test_no_secret_of_a_module_is_shown_or_left(ansible: Ansible, check: bool, scratch: Path) -> None:
    tasks = [
        {"name": module, f"vya.backupdb.{module}": call_of(module, str(scratch / "state")), "ignore_errors": True}
        for module in sorted(CALLS)
    ]
    assert all(given(module) for module in CALLS)
    before = entries()
    with ProcessWatch(interval=0.05) as watch:
        run = ansible.run_playbook([{"hosts": "all", "gather_facts": False, "tasks": tasks}], verbosity=4, check=check)
    results = {one.task: one.result for one in run.results}
    assert set(results) == set(CALLS), run.output
    for module, result in results.items():
        assert result, module
        for refused in ("unsupported parameters", "missing required", "mutually exclusive"):
            assert refused not in str(result.get("msg", "")).lower(), (module, result)
    left = [path for path in files_in(entries() - before) if os.access(path, os.R_OK)]
    for secret in SECRETS.values():
        for form in (secret, secret.lower(), json.dumps(secret)[1:-1]):
            assert [module for module, result in results.items() if form in json.dumps(result)] == []
            assert form not in run.output
            assert watch.find(form) == []
            assert [path for path in left if path.exists() and form.encode() in path.read_bytes()] == []


@pytest.mark.parametrize("role", ROLES)
def test_no_secret_of_a_role_is_shown_when_it_fails(ansible: Ansible, role: str, scratch: Path) -> None:
    """That none is shown when it does its work is in the tests of the role."""
    variables = this_machine(scratch, **ROLE_VARIABLES, backupdb_repository=str(scratch / "none"))
    with ProcessWatch(interval=0.05) as watch:
        # The role schedule would change this machine, so it is only planned.
        run = ansible.run_playbook(
            f"vya.backupdb.{role}", extra_vars=variables, verbosity=4, diff=True, check=role == "schedule"
        )
    assert run.results, run.output
    for secret in SECRETS.values():
        for form in (secret, secret.lower(), json.dumps(secret)[1:-1]):
            assert form not in run.output
            assert form not in json.dumps([one.result for one in run.results])
            assert watch.find(form) == []

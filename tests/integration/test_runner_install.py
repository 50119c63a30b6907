# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Installing the runner with Ansible, and running it under the Pythons that hosts have."""

from __future__ import annotations

import hashlib
import importlib
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from backupdb.cli.bash_completion import bash_completion
from backupdb.cli.main import make_parser
from backupdb.cli.manual import manual
from support.jobs import JobHost, login_of
from support.returns import documentation_of, promised, undocumented

runner = importlib.import_module("ansible_collections.vya.backupdb.plugins.plugin_utils.runner")
MODULE = "vya.backupdb.runner_install"
DEBIAN = "/usr/bin/python3"


@pytest.mark.distro
def test_it_is_planned_made_and_then_left_alone(run_module: Callable[..., Any], scratch: Path) -> None:
    dest = scratch / "lib" / "backupdb.pyz"
    page, completion = scratch / "share" / "man" / "backupdb.8", scratch / "share" / "completions" / "backupdb"
    options = {"dest": str(dest), "mode": "0640", "manual": str(page), "bash_completion": str(completion)}
    planned = run_module(MODULE, options, check=True, diff=True)
    assert not planned.failed, planned.output
    assert planned.result["changed"]
    assert not dest.exists()
    made = run_module(MODULE, options, diff=True)
    assert not made.failed, made.output
    assert made.result["changed"]
    documented = documentation_of(MODULE, "RETURN")
    assert undocumented({key: value for key, value in made.result.items() if key != "diff"}, documented) == []
    assert promised(documented, "always") <= set(made.result) & set(planned.result)
    assert dest.stat().st_mode & 0o777 == 0o640
    assert hashlib.sha256(dest.read_bytes()).hexdigest() == made.result["sha256"] == planned.result["sha256"]
    assert made.result["size"] == dest.stat().st_size
    again = run_module(MODULE, options, diff=True)
    assert not again.failed
    assert not again.result["changed"]
    assert page.read_text(encoding="utf-8") == manual(make_parser())
    assert completion.read_text(encoding="utf-8") == bash_completion(make_parser())
    page.unlink()
    assert run_module(MODULE, options, check=True).result["changed"]
    dest.write_bytes(dest.read_bytes()[:-1])
    mended = run_module(MODULE, options, diff=True)
    assert mended.result["changed"]
    assert "def main" not in mended.output
    assert hashlib.sha256(dest.read_bytes()).hexdigest() == made.result["sha256"]


def test_bytecode_is_made_by_the_hosts_python_and_then_left_alone(
    run_module: Callable[..., Any], scratch: Path
) -> None:
    dest = scratch / "lib" / "backupdb.pyz"
    options = {"dest": str(dest), "interpreter": DEBIAN}
    made = run_module(MODULE, options)
    assert made.changed, made.output
    (bytecode,) = dest.parent.glob("backupdb.pyz.*")
    before = bytecode.stat()
    assert before.st_uid == dest.stat().st_uid
    assert before.st_mode & 0o777 == 0o644
    assert not run_module(MODULE, options).changed
    assert bytecode.stat().st_mtime_ns == before.st_mtime_ns
    bytecode.write_bytes(bytecode.read_bytes()[:-100])
    older = dest.parent / "backupdb.pyz.0123456789abcdef.a70d0d0a"
    older.touch()
    mended = run_module(MODULE, options)
    assert mended.changed, mended.output
    assert bytecode.stat().st_size == before.st_size
    assert not older.exists()
    without = run_module(MODULE, {**options, "interpreter": str(scratch / "no python")})
    assert not without.failed
    assert "no bytecode" in without.output


@pytest.fixture
def program(scratch: Path) -> str:
    path = scratch / "backupdb.pyz"
    path.write_bytes(runner.build())
    return str(path)


def test_it_runs_a_job_with_debians_python_and_libraries(program: str, scratch: Path, postgres15: Any) -> None:
    host = JobHost(scratch / "host")
    host.write_job("daily", [host.backup_of(postgres15, databases=["postgres"])])
    host.write_secrets("daily", logins={"test": login_of(postgres15)})
    done = subprocess.run(
        [DEBIAN, "-I", program, "run", "daily", "--config-dir", str(host.config_dir)],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "host1/test 'postgres' complete" in done.stdout


def test_without_a_library_it_names_the_package(program: str, scratch: Path, postgres15: Any) -> None:
    host = JobHost(scratch / "host")
    host.write_job("daily", [host.backup_of(postgres15, databases=["postgres"])])
    host.write_secrets("daily", logins={"test": login_of(postgres15)})
    done = subprocess.run(
        [DEBIAN, "-I", "-S", program, "run", "daily", "--config-dir", str(host.config_dir)],  # without site-packages
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 3
    assert "python3-sqlalchemy" in done.stderr + done.stdout or "python3-cryptography" in done.stderr + done.stdout
    assert "Traceback" not in done.stderr

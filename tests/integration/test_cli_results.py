# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line says what the modules say, in the same words."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from support.jobs import JobHost
from support.stored import DUMP, IDENTITY, SEALED, TIME, flip_bit, store

OF_ANSIBLE = {"invocation", "warnings", "failed", "msg"}
PASSING = {"age_seconds", "seconds", "rate"}  # what is another figure the next time


@pytest.fixture
def host(scratch: Path) -> JobHost:
    host = JobHost(scratch)
    store(host.repository, "shop", content=DUMP, envelope=SEALED)
    later = TIME + timedelta(hours=1)
    store(host.repository, "wi\udcffki\x1b[31m", content=DUMP, envelope=SEALED, time=later)
    return host


def without(value: Any, left_out: set[str]) -> Any:
    if isinstance(value, dict):
        return {key: without(item, left_out) for key, item in value.items() if key not in left_out}
    return [without(item, left_out) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    ("command", "module", "options"),
    [
        (["list", "--until", "2099-01-01"], "backup_info", {"until": "2099-01-01"}),
        (["list", "--database", "shop", "--unproven"], "backup_info", {"database": "shop", "proven": False}),
        (["verify", "--level", "decrypt", "-i", "IDENTITY"], "backup_verify", {"level": "decrypt"}),
    ],
)
def test_json_is_what_the_module_returns(
    run_module: Callable[..., Any], host: JobHost, command: list[str], module: str, options: dict[str, Any]
) -> None:
    host.identity_file.write_text(IDENTITY.reveal() + "\n", encoding="ascii")
    command = [str(host.identity_file) if word == "IDENTITY" else word for word in command]
    secret = {"identity_file": str(host.identity_file)} if module == "backup_verify" else {}
    run = run_module(f"vya.backupdb.{module}", {"repository": str(host.repository), **options, **secret})
    assert not run.failed, run.output
    done = host.command(*command, str(host.repository), "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    wanted = {key: value for key, value in run.result.items() if not key.startswith("_ansible")}
    left_out = OF_ANSIBLE | PASSING | {"message"}  # the sentence has an age or a rate in it
    assert without(result, {*left_out, "changed"}) == without(wanted, {*left_out, "changed"})


def test_lines_for_people_hold_nothing_that_a_terminal_acts_on(host: JobHost) -> None:
    done = host.command("list", str(host.repository))
    assert done.returncode == 0
    assert "shop" in done.stdout
    assert "\x1b" not in done.stdout


def test_a_damaged_backup_fails_and_says_why(host: JobHost) -> None:
    archive = next(host.repository.glob("*/*/shop/*/data*"))
    flip_bit(archive, -1)
    done = host.command("verify", str(host.repository))
    assert done.returncode == 2
    assert str(archive.parent) in done.stdout
    alone = host.command("verify", "--path", str(archive.parent), "--json")
    assert (alone.returncode, json.loads(alone.stdout)["counts"]["damaged"]) == (2, 1)
    assert host.command("verify", str(host.repository), "--path", str(archive.parent)).returncode == 3


def test_without_a_repository_it_is_that_of_the_jobs(host: JobHost) -> None:
    config = ("--config-dir", str(host.config_dir))
    assert host.command("list", *config).returncode == 3
    entry = {"instance": "test", "engine": "postgresql", "login_host": "x", "host": "host1", "encryption": "none"}
    host.write_job("daily", [{**entry, "repository": str(host.repository)}])
    assert host.command("list", *config).stdout == host.command("list", str(host.repository)).stdout != ""
    other = host.repository.parent / "other"
    other.mkdir()
    host.write_job("other", [{**entry, "repository": str(other)}])
    assert host.command("list", *config).returncode == 0
    done = host.command("list", *config, "--json")
    assert done.returncode == 3
    assert str(other) in done.stderr
    assert json.loads(done.stdout)["error_kind"] == "InvalidOption"


def test_seal_takes_the_repository_of_the_jobs_out_of_the_hands_of_its_user(host: JobHost) -> None:
    for path in (host.repository, *host.repository.rglob("*")):
        shutil.chown(path, "nobody", "nogroup")
    entry = {"instance": "test", "engine": "postgresql", "login_host": "x", "host": "host1", "encryption": "none"}
    host.write_job("daily", [{**entry, "repository": str(host.repository)}])
    config = ("--config-dir", str(host.config_dir))
    done = host.command("seal", "--user", "nobody", "--group", "nogroup", *config, "--json")
    assert (done.returncode, json.loads(done.stdout)["backups"]) == (0, 2), done.stderr
    assert {path.owner() for path in host.repository.glob("*/*/*/*")} == {"root"}
    assert host.command("seal", "--user", "no-such-user", *config).returncode == 3
    assert host.command("seal", "--user", "root", *config).returncode == 2

# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What earlier versions kept on a host is still understood; what needs a server is among the integration tests."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from backupdb.accounts import run as accounts
from backupdb.archives.keys import Keys
from backupdb.cli import main as command_line
from backupdb.credentials.secrets import read_secrets
from backupdb.jobs.definition import job_path, read_job
from backupdb.repository.find import BackupSelector
from backupdb.retention import pin
from backupdb.system import detached
from backupdb.verify import run as verify
from support.samples import PASSPHRASE, PASSWORD, PLACE, USER, VERSIONS, SampleHost
from support.tree import folder_state

Command = Callable[..., dict[str, Any]]
BACKUPS = {
    # instance, database: how many, status, encryption of the archives
    ("pg15", "shop"): (2, "complete", ["age-x25519"]),
    ("pg15", None): (2, "complete", ["age-x25519"]),
    ("mariadb", "shop"): (2, "complete", ["age-x25519"]),
    ("mariadb", None): (2, "complete", ["age-x25519"]),
    ("pg15_parts", "shop"): (1, "complete", ["age-x25519"]),
    ("mariadb_parts", "shop"): (1, "complete", ["age-x25519"]),
    ("pg15_passphrase", "shop"): (1, "complete", ["age-scrypt"]),
    ("mariadb_plain", "shop"): (1, "complete", ["none"]),
    ("pg15_partial", "wiki"): (1, "partial", ["age-x25519"]),
    ("pg15_detached", "shop"): (1, "complete", ["age-x25519"]),
}
COUNT = sum(number for number, _status, _encryption in BACKUPS.values())


@pytest.fixture(params=VERSIONS)
def host(request: pytest.FixtureRequest, tmp_path: Path) -> SampleHost:
    return SampleHost(tmp_path / "host", request.param)


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    """Run the command line and return what it prints as JSON."""

    def run(*arguments: str) -> dict[str, Any]:
        command_line.main([*arguments, "--json"])
        captured = capsys.readouterr()
        assert captured.err == ""
        result: dict[str, Any] = json.loads(captured.out)
        return result

    return run


def test_all_backups_are_listed(host: SampleHost, command: Command) -> None:
    result = command("list", str(host.repository))
    assert (result["count"], result["problems"]) == (COUNT, [])
    for (instance, database), (number, status, encryption) in BACKUPS.items():
        found = [entry for entry in result["backups"] if (entry["instance"], entry["database"]) == (instance, database)]
        assert len(found) == number
        assert {entry["status"] for entry in found} == {status}
        assert [entry["encryption"] for entry in found] == [encryption] * number
        assert {entry["host"] for entry in found} == {"db1"}


def test_drills_and_pins_are_known(host: SampleHost, command: Command) -> None:
    result = command("list", str(host.repository))
    proven = {entry["path"]: entry["drill"]["verdict"] for entry in result["backups"] if entry["proven"]}
    assert proven == {str(host.folder_of("pg15")): "equal", str(host.folder_of("mariadb")): "equal"}
    pinned = {entry["path"]: entry["pin_reason"] for entry in result["backups"] if entry["pinned"]}
    assert pinned == {str(host.folder_of("pg15")): "kept as a sample"}


def test_a_pin_is_let_go_and_set_again(host: SampleHost) -> None:
    path = str(host.folder_of("pg15"))
    assert pin.run(pin.PinRequest(present=True, path=path))["changed"] is False
    away = pin.run(pin.PinRequest(present=False, path=path))
    assert (away["changed"], away["pinned"]) == (True, False)
    again = pin.run(pin.PinRequest(present=True, path=path, reason="again"))
    assert (again["changed"], again["pinned"], again["warnings"]) == (True, True, [])


@pytest.mark.parametrize("level", ["digest", "decrypt"])
def test_all_backups_are_good(host: SampleHost, level: str) -> None:
    keys = Keys(identity_file=str(host.identity_file), passphrase=PASSPHRASE)
    result = verify.run(verify.VerifyRequest(level=level, repository=str(host.repository), keys=keys))
    assert result["counts"]["good"] == COUNT, result["message"]
    assert (result["status"], result["warnings"]) == ("ok", [])


def test_every_archive_can_be_read(host: SampleHost, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    folder = host.folder_of("mariadb_parts")
    names = [archive["name"] for archive in json.loads((folder / "manifest.json").read_bytes())["archives"]]
    for name in names:
        assert command_line.main(["cat", "-i", str(host.identity_file), str(folder), name]) == 0
        assert b"Dump completed" in capfdbinary.readouterr().out
    assert len(names) == 4


def test_a_prune_is_planned_by_what_stands_in_the_repository(host: SampleHost, command: Command) -> None:
    before = folder_state(host.repository)
    keep_last = ("prune", "--repository", str(host.repository), "--keep-last", "1")
    plan = command(*keep_last, "--check")
    assert (plan["status"], plan["removed"], plan["kept"], plan["problems"]) == ("planned", 4, COUNT - 4, [])
    assert folder_state(host.repository) == before
    older = min(host.folder_of("pg15").parent.glob("2*"))
    pin.run(pin.PinRequest(present=True, path=str(older)))
    done = command(*keep_last)
    assert (done["status"], done["removed"]) == ("ok", 3)
    assert older.is_dir()


def test_the_status_of_all_jobs_is_known(host: SampleHost, command: Command) -> None:
    result = command("status", "--config-dir", str(host.config_dir))
    assert result["warnings"] == []
    statuses = {job["name"]: job["status"] for job in result["jobs"]}
    assert statuses == {"nightly": "ok", "parts": "ok", "passphrase": "ok", "plain": "ok", "partial": "partial"}
    rows = {(row["instance"], row["database"]): row["backups"] for row in result["rows"]}
    of_jobs = {place: number for place, (number, *_rest) in BACKUPS.items() if place[0] != "pg15_detached"}
    assert rows == of_jobs
    runs = {instance["instance"]: instance["status"] for instance in result["instances"]}
    assert runs == {name: "partial" if name == "pg15_partial" else "ok" for name, _database in of_jobs}


def test_the_metrics_are_still_there(host: SampleHost, capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line.main(["metrics", "--config-dir", str(host.config_dir)]) == 0
    then = (host.metrics / "backupdb.prom").read_text(encoding="utf-8").replace(PLACE, str(host.repository.parent))
    series = re.compile(r"^(backupdb_[^ ]+) ", re.MULTILINE)
    # More by now: when the sample's were written, only the first job was defined.
    assert set(series.findall(then)) <= set(series.findall(capsys.readouterr().out))


def _of(values: Any, written: Any) -> Any:
    """Return of values what has a counterpart in the file: options that came later have their defaults."""
    if isinstance(written, dict):
        return {key: _of(values[key], written[key]) for key in written}
    if isinstance(written, list):
        return [_of(value, one) for value, one in zip(values, written)] + values[len(written) :]
    return values


def test_a_job_means_what_its_file_says(host: SampleHost) -> None:
    for path in host.job_files():
        written = json.loads(path.read_bytes())
        values = read_job(job_path(str(host.config_dir), path.stem)).values()
        assert _of(values, written) == written


def test_secrets_of_a_file_and_of_a_store_are_read(host: SampleHost) -> None:
    found = {}
    for path in host.job_files():
        job = read_job(path)
        found[job.name] = read_secrets(job.credentials_source, job.credentials_path, {})
    assert found["nightly"].login("pg15") == {"login_password": PASSWORD}
    assert found["nightly"].notification("hook") == {"url": "http://127.0.0.1:1/sample"}
    assert found["parts"].login("mariadb_parts") == {"login_user": USER, "login_password": PASSWORD}
    assert found["passphrase"].passphrase() == PASSPHRASE


@pytest.mark.parametrize(("instance", "account"), [("pg15", "shop_app"), ("mariadb", "shop_app@%")])
def test_stored_accounts_are_read(host: SampleHost, instance: str, account: str) -> None:
    source = accounts.StoredAccounts(
        BackupSelector(instance=instance), str(host.repository), Keys(identity_file=str(host.identity_file))
    )
    result = accounts.look_at_backup(source, ["*"])
    assert account in {entry["account"] for entry in result["accounts"]}
    assert (result["missing"], result["warnings"]) == ([], [])


def test_the_result_of_a_detached_run_is_taken_over(
    host: SampleHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that was started by the version before the update, and is asked about after it."""
    monkeypatch.setattr(detached, "BASE", tmp_path / "runs")
    shutil.copytree(host.detached, tmp_path / "runs")
    (folder,) = (tmp_path / "runs").iterdir()
    run_id = folder.name.rpartition("-")[2]
    output = detached.look(run_id, 0.0).output
    assert output is not None
    result = json.loads(output)
    assert (result["status"], result["instance"], result["run_id"]) == ("ok", "pg15_detached", run_id)

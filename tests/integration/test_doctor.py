# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The doctor on real servers: every link is told, what is broken with what mends it, and nothing is changed."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.ansible import UNREACHABLE, AnsibleRun
from support.golden import assert_golden
from support.jobs import JobHost, login_of
from support.library import LIBRARY
from support.private_server import PrivateServer
from support.receivers import web_receiver
from support.tree import folder_state


def examined(host: JobHost, *arguments: str) -> tuple[int, dict[str, Any]]:
    done = host.command("doctor", *arguments, "--config-dir", str(host.config_dir), "--json")
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def row(result: dict[str, Any], link: str, subject: str | None = None) -> dict[str, Any]:
    found = [one for one in result["rows"] if one["link"] == link and subject in (None, one["subject"])]
    assert len(found) == 1, (link, found)
    return found[0]


@pytest.fixture(params=["postgres15", "mariadb", pytest.param("mysql", marks=pytest.mark.mysql)])
def server(request: pytest.FixtureRequest) -> Iterator[Any]:
    """Every engine's server, with the database `examined`."""
    if request.param == "mysql":
        request.getfixturevalue("mysql_programs")
    server = request.getfixturevalue(request.param)
    server.sql("CREATE DATABASE examined")
    yield server
    server.sql("DROP DATABASE examined")


def of_server(host: JobHost, server: PrivateServer, name: str, **values: Any) -> None:
    host.write_job(name, [host.backup_of(server, databases=["examined"])], **values)
    host.write_secrets(name, logins={"test": login_of(server)})


def places_of(host: JobHost, server: PrivateServer) -> dict[str, str]:
    """What stands in place of folders and names of this run."""
    return {str(host.repository.parent): "/srv", str(host.config_dir): "/etc/backupdb", str(server.port): "PORT"}


def test_a_job_that_works_is_told_link_by_link_and_nothing_is_changed(
    host: JobHost, server: Any, work_dir: Path
) -> None:
    copy = host.repository.parent / "copy"
    copy.mkdir(mode=0o700)
    drill = {"every": "7d", "identity_file": str(host.identity_file), "work_dir": str(work_dir)}
    copies = [{"name": "disk", "type": "local", "path": str(copy)}]
    of_server(host, server, "daily", copies=copies)
    first, result = examined(host, "daily")
    assert (first, result["status"]) == (2, "failed")  # there is no backup yet
    assert row(result, "restore client")["state"] == row(result, "drill")["state"] == "unknown"
    assert host.command("run", "daily", "--config-dir", str(host.config_dir)).returncode == 0
    of_server(host, server, "daily", copies=copies, drill=drill)
    before = folder_state(host.repository.parent)
    status, result = examined(host, "daily")
    assert folder_state(host.repository.parent) == before
    assert (status, result["status"], result["changed"]) == (1, "partial", False), result["lines"]
    bad = {one["link"] for one in result["rows"] if one["state"] not in ("ok", "unknown")}
    # Neither is a fault of the server: no notifications, no timer, and a copy beside the repository.
    assert bad <= {"notification", "schedule", "copy rights"}, result["lines"]
    assert row(result, "login", "test")["what"].startswith(f"{server.user} at {server.host}:{server.port}: ")
    assert row(result, "rights", "test")["state"] == "ok"
    for link in ("dump client", "restore client", "drill server"):
        assert Path(row(result, link)["what"].split(" ")[0]).is_file()
    assert str(host.repository) in row(result, "space")["what"]
    assert server.password not in json.dumps(result)
    assert_golden(f"doctor_{server.engine}", result["lines"], places_of(host, server))


def test_each_broken_link_is_told_with_what_mends_it_and_stops_no_other(host: JobHost, postgres15: Any) -> None:
    postgres15.sql("CREATE TABLE secret AS SELECT 1 AS id")
    postgres15.sql("CREATE ROLE looker LOGIN PASSWORD 'looks'")
    try:
        good = host.backup_of(postgres15, instance="rights", databases=["postgres"])
        unknown = host.backup_of(postgres15, instance="gone", login_port=1, signing_key=str(host.config_dir / "no.pem"))
        unknown["hooks"] = [
            {"when": "before", "command": ["/bin/true"]},
            {"when": "after", "command": ["/nonexistent"], "on_error": "warn"},
        ]
        elsewhere = host.backup_of(postgres15, instance="nowhere", repository=str(host.repository / "no"))
        host.repository.chmod(0o755)
        with web_receiver(500) as broken:
            told = [{"name": "chat", "type": "webhook", "events": ["success"]}]
            host.write_job("daily", [good, unknown, elsewhere], notifications=told)
            login = {"login_user": "looker", "login_password": "looks"}
            logins = {"rights": login, "gone": login, "nowhere": {**login, "login_password": "no-such-password"}}
            host.write_secrets("daily", logins=logins, notifications={"chat": {"url": broken.url("/secret-path")}})
            status, result = examined(host, "daily")
            assert broken.received == []  # nothing is sent that nobody asked for
            _status, tested = examined(host, "daily", "--send-test")
            assert [one.json()["event"] for one in broken.received] == ["test"]
    finally:
        postgres15.sql("DROP ROLE looker")
        postgres15.sql("DROP TABLE secret")
    assert (status, result["status"]) == (2, "failed")
    rights = [one for one in result["rows"] if one["link"] == "rights" and one["subject"] == "rights"]
    assert any(one["next_step"] and one["next_step"].startswith("GRANT ") for one in rights), rights
    assert row(result, "login", "gone")["state"] == "failed"
    assert row(result, "signing key", "gone")["state"] == "failed"
    hooks = [one["state"] for one in result["rows"] if one["link"] == "hook"]
    assert hooks == ["ok", "warning"]
    assert row(result, "login", "nowhere")["state"] == "failed"
    repositories = {one["state"]: one for one in result["rows"] if one["link"] == "repository"}
    assert repositories["warning"]["next_step"] == f"chmod o= {host.repository}"
    assert "mount it" in repositories["failed"]["next_step"]
    assert any("nobody is told" in one["what"] for one in result["rows"] if one["state"] == "warning")
    assert row(tested, "test message", "chat")["state"] == "failed"
    assert "secret-path" not in json.dumps([result, tested])
    assert_golden("doctor_broken_links", result["lines"], places_of(host, postgres15))


def test_without_secrets_and_with_a_broken_job_the_rest_is_told(host: JobHost, postgres15: Any) -> None:
    of_server(host, postgres15, "daily")
    (host.credentials / "daily").unlink()
    (host.config_dir / "jobs.d" / "broken.json").write_text("{", encoding="ascii")
    status, result = examined(host)
    assert status == 2
    states = {(one["job"], one["link"]): one["state"] for one in result["rows"]}
    assert states["broken", "definition"] == states["daily", "secrets"] == "failed"
    assert (states["daily", "login"], states["daily", "repository"]) == ("unknown", "ok")
    shown = host.command("doctor", "--config-dir", str(host.config_dir))
    assert shown.returncode == 2
    assert [line for line in shown.stdout.splitlines() if not line.startswith(" ")][:2] == ["broken:", "daily:"]
    assert host.command("doctor", "nowhere", "--config-dir", str(host.config_dir)).returncode == 3
    shutil.rmtree(host.config_dir / "jobs.d")
    assert host.command("doctor", "--config-dir", str(host.config_dir)).returncode == 3


def test_the_playbook_tells_of_every_host_before_those_with_a_broken_link_fail(
    run_playbook: Callable[..., AnsibleRun], host: JobHost, scratch: Path
) -> None:
    program = scratch / "backupdb"
    program.write_text(f'#!/bin/sh\nPYTHONPATH={LIBRARY} exec {sys.executable} -m backupdb.cli.main "$@"\n')
    program.chmod(0o755)
    entry = {"instance": "a", "engine": "postgresql", "login_host": "127.0.0.1", "login_port": 1, "host": "h"}
    backup = {**entry, "repository": str(host.repository), "encryption": "none"}
    host.write_job("daily", [backup], credentials={"source": "none", "path": None})
    common = {"ansible_connection": "local", "backupdb_become": False, "doctor_command": str(program)}
    hosts = {
        "db1": {"backupdb_config_dir": str(host.config_dir)},
        "db2": {"doctor_command": "/nonexistent/backupdb"},
        "gone": UNREACHABLE,
    }
    run = run_playbook("vya.backupdb.doctor", inventory={"all": {"vars": common, "hosts": hosts}}, verbosity=1)
    assert run.returncode != 0
    told = run.summary("doctor_summary")
    statuses = {name: entry["status"] for name, entry in told["hosts"].items()}
    assert (told["status"], statuses) == ("failed", {"db1": "failed", "db2": "failed", "gone": "unreachable"})
    links = {one["link"]: one["state"] for one in told["hosts"]["db1"]["rows"]}
    assert (links["repository"], links["login"]) == ("ok", "failed")
    assert "The playbook schedule installs it" in told["hosts"]["db2"]["message"]
    assert "daily:" in run.output.splitlines()
    failed = {entry.host for entry in run.of_task("Examine the jobs of this host") if entry.kind == "failed"}
    assert failed == {"db1", "db2", "gone"}

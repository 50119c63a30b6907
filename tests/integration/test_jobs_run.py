# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A job on its host: what it does, and what its exit status says of how it ended."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from backupdb.credentials.secrets import read_secrets
from backupdb.jobs import run as jobs
from backupdb.jobs.definition import read_job
from backupdb.jobs.record import job_lock
from backupdb.repository import local
from backupdb.repository.lock import run_lock
from support import postgresql_dumps
from support.jobs import JobHost, login_of
from support.library import HOST, entry_of, stored_backups, unpublished, wait_for
from support.receivers import web_receiver

SLOW = "1M"  # a second: the big database below takes several seconds at that


@pytest.fixture
def server(postgres15: Any) -> Iterator[Any]:
    """The session's server with the databases `shop` and `wiki`."""
    with postgresql_dumps.new_database(postgres15, "shop"), postgresql_dumps.new_database(postgres15, "wiki"):
        postgres15.sql("CREATE TABLE orders AS SELECT generate_series(1, 10) AS id", database="shop")
        postgres15.sql("CREATE TABLE pages AS SELECT 1 AS id", database="wiki")
        yield postgres15


def make_big(server: Any) -> None:
    """Make the shop 8 MiB that cannot be compressed."""
    server.sql(
        "CREATE TABLE big AS SELECT g AS id, decode(string_agg(md5(random()::text), ''), 'hex') AS noise "
        "FROM generate_series(1, 512) g, generate_series(1, 1024) h GROUP BY g",
        database="shop",
    )


def test_a_job_backs_up_with_the_secrets_of_its_file_and_is_remembered(host: JobHost, server: Any) -> None:
    host.write_job("daily", [host.backup_of(server, databases=["shop", "wiki"])])
    host.write_secrets("daily", logins={"test": login_of(server)})
    status, result = host.run("daily")
    assert (status, result["status"]) == (0, "ok"), result
    assert entry_of(result["backups"][0], "shop")["status"] == "complete"
    assert len(stored_backups(host.repository, "shop")) == 1
    record = host.record("daily")
    assert record["last_success"] == record["finished"] == result["finished"]
    assert [entry["name"] for entry in record["backups"][0]["databases"]] == ["shop", "wiki", "@accounts"]
    assert server.password not in json.dumps([record, result])


def test_a_second_run_does_only_what_is_missing(host: JobHost, server: Any) -> None:
    options = {"databases": ["shop", "wiki"], "skip_if_newer_than": "1h"}
    host.write_secrets("daily", logins={"test": login_of(server)})
    host.write_job("daily", [host.backup_of(server, **{**options, "databases": ["shop"]})])
    assert host.run("daily")[0] == 0
    host.write_job("daily", [host.backup_of(server, **options)])
    status, result = host.run("daily")
    assert status == 0
    assert entry_of(result["backups"][0], "shop")["status"] == "skipped"
    assert entry_of(result["backups"][0], "wiki")["status"] == "complete"


def test_a_bad_instance_stops_no_other_and_its_password_is_a_failure(host: JobHost, server: Any) -> None:
    backups = [host.backup_of(server, instance="bad"), host.backup_of(server, databases=["shop"])]
    host.write_job("daily", backups)
    host.write_secrets("daily", logins={"bad": login_of(server, login_password="wrong"), "test": login_of(server)})
    status, result = host.run("daily")
    assert status == 2
    assert [entry["status"] for entry in result["backups"]] == ["failed", "ok"]
    assert result["backups"][0]["error_kind"] == "ConnectionFailed"
    assert "bad" in result["message"]
    assert host.record("daily")["last_success"] is None
    assert len(stored_backups(host.repository, "shop")) == 1


@pytest.mark.parametrize("content", [None, "{", '{"logins": []}'])
def test_missing_credentials_have_a_status_of_their_own_and_are_remembered(
    host: JobHost, server: Any, content: str | None
) -> None:
    host.write_job("daily", [host.backup_of(server)])
    if content is not None:
        (host.credentials / "daily").touch(mode=0o600)
        (host.credentials / "daily").write_text(content, encoding="ascii")
    status, result = host.run("daily")
    assert status == 4
    assert str(host.credentials / "daily") in result["message"]
    assert host.record("daily")["status"] == "failed"


def test_a_state_folder_that_cannot_be_used_is_told_though_it_cannot_be_remembered(host: JobHost, server: Any) -> None:
    (host.state_dir / "jobs").write_text("in the way")
    with web_receiver(200) as receiver:
        hook = {"name": "hook", "type": "webhook", "url": receiver.url("/hook")}
        host.write_job("daily", [host.backup_of(server)], notifications=[hook])
        host.write_secrets("daily", logins={"test": login_of(server)})
        status, result = host.run("daily")
    assert (status, result["error_kind"]) == (2, "RepositoryError")
    assert "could not be remembered" in result["warnings"][0]
    assert receiver.paths == ["/hook"]


def test_a_backup_that_lacks_something_makes_the_job_partial(host: JobHost, server: Any) -> None:
    """A user mapping's options are for superusers only."""
    login = {"login_user": "job_reader", "login_password": "Xq8vN2rT5wKj3mPz7bLd"}
    server.sql("CREATE ROLE job_reader LOGIN PASSWORD 'Xq8vN2rT5wKj3mPz7bLd' IN ROLE pg_read_all_data")
    for statement in (
        "CREATE FOREIGN DATA WRAPPER far",
        "CREATE SERVER away FOREIGN DATA WRAPPER far",
        "CREATE USER MAPPING FOR postgres SERVER away OPTIONS (code 'x')",
    ):
        server.sql(statement, database="shop")
    host.write_job("daily", [host.backup_of(server, databases=["shop"])])
    host.write_secrets("daily", logins={"test": login})
    try:
        status, result = host.run("daily")
    finally:
        server.sql("DROP ROLE job_reader")
    assert (status, result["status"]) == (1, "partial"), result["message"]
    assert "away" in result["message"]
    assert host.record("daily")["last_success"] is None


def test_a_job_that_runs_already_is_busy(host: JobHost, server: Any) -> None:
    host.write_job("daily", [host.backup_of(server, databases=["shop"])])
    host.write_secrets("daily", logins={"test": login_of(server)})
    with job_lock(str(host.state_dir), "daily"):
        status, result = host.run("daily")
    assert (status, result["error_kind"]) == (75, "LockBusy")
    assert f"pid {os.getpid()}" in result["message"]
    assert not (host.state_dir / "jobs" / "daily.json").exists()  # it is the other run that remembers and tells


def test_an_instance_that_another_run_backs_up_is_busy_and_stops_no_other(host: JobHost, server: Any) -> None:
    backups = [host.backup_of(server, databases=["shop"]), host.backup_of(server, instance="b", databases=["wiki"])]
    host.write_job("both", backups)
    host.write_job("daily", backups[:1])
    for name in ("both", "daily"):
        host.write_secrets(name, logins={"test": login_of(server), "b": login_of(server)})
    folder = local.make_instance_folder(host.repository, HOST, "test")
    with run_lock(folder, run_id="0" * 32, timeout=0.0, cancel=threading.Event()):
        status, result = host.run("daily")
        assert (status, result["status"]) == (75, "busy")
        status, result = host.run("both")
        assert (status, result["status"]) == (1, "partial")
        assert [entry["status"] for entry in result["backups"]] == ["busy", "ok"]


def test_a_job_that_is_asked_to_stop_ends_in_good_order_and_begins_nothing_more(host: JobHost, server: Any) -> None:
    make_big(server)
    backups = [
        host.backup_of(server, databases=["shop"], bandwidth_limit=SLOW),
        host.backup_of(server, instance="later", databases=["wiki"]),
    ]
    host.write_job("daily", backups, drill={"every": "1d", "identity_file": str(host.identity_file)})
    host.write_secrets("daily", logins={"test": login_of(server), "later": login_of(server)})
    process = host.start("run", "daily", "--config-dir", str(host.config_dir), "--json")
    lines: list[str] = []
    reader = threading.Thread(target=lambda: lines.extend(process.stderr or ()), daemon=True)
    reader.start()
    wait_for(lambda: unpublished(host.repository), what="the unpublished folder")
    process.send_signal(signal.SIGTERM)
    assert process.stdout is not None
    result = json.loads(process.stdout.read())
    assert process.wait(timeout=60) == 2
    assert [entry["status"] for entry in result["backups"]] == ["failed", "failed"]
    assert "not begun, stopped by SIGTERM" in result["backups"][1]["message"]
    assert result["drill"] is None
    assert unpublished(host.repository) == []
    assert host.record("daily")["status"] == "failed"
    reader.join(5)
    assert any("instance test: backup begins" in line for line in lines)


def test_a_drill_is_done_when_it_is_due(host: JobHost, server: Any) -> None:
    drill = {"every": "7d", "identity_file": str(host.identity_file), "database": "shop"}
    host.write_job("daily", [host.backup_of(server, databases=["shop"])], drill=drill)
    host.write_secrets("daily", logins={"test": login_of(server)})
    status, result = host.run("daily")
    assert (status, result["drill"]["status"]) == (0, "ok"), result
    assert result["drill"]["proven"] == 1
    status, result = host.run("daily")
    assert (status, result["drill"]) == (0, None)


def test_a_job_prunes_after_backing_up_and_never_when_nothing_was_backed_up(host: JobHost, server: Any) -> None:
    backups = [host.backup_of(server, databases=["shop"], accounts=False)]
    host.write_job("daily", backups)
    host.write_secrets("daily", logins={"test": login_of(server)})
    assert [host.run("daily")[0] for _run in range(2)] == [0, 0]
    host.write_job("daily", backups, retention={"keep_last": 1})
    host.write_secrets("daily", logins={"test": login_of(server, login_password="wrong")})
    status, result = host.run("daily")
    assert (status, result["prune"]) == (2, None)
    planned = json.loads(
        host.command("prune", "daily", "--config-dir", str(host.config_dir), "--json", "--check").stdout
    )
    assert (planned["status"], planned["removed"]) == ("planned", 1)
    assert len(stored_backups(host.repository, "shop")) == 2
    host.write_secrets("daily", logins={"test": login_of(server)})
    status, result = host.run("daily")
    assert (status, result["prune"]["removed"]) == (0, 2)
    assert len(stored_backups(host.repository, "shop")) == 1


def test_a_database_is_brought_back_by_what_the_job_knows(host: JobHost, server: Any) -> None:
    host.write_job("daily", [host.backup_of(server, databases=["shop"])])
    host.write_secrets("daily", logins={"test": login_of(server)})
    assert host.run("daily")[0] == 0
    where = ("--config-dir", str(host.config_dir), "--json", "-i", str(host.identity_file))
    done = host.command("restore", "daily", "test", "shop", "--target", "shop_again", *where, "--check")
    assert (done.returncode, json.loads(done.stdout)["status"]) == (0, "planned"), done.stderr
    done = host.command("restore", "daily", "test", "shop", "--target", "shop_again", *where)
    try:
        assert (done.returncode, json.loads(done.stdout)["status"]) == (0, "restored"), done.stdout
        assert server.sql("SELECT count(*) FROM orders", database="shop_again") == [(10,)]
        done = host.command("restore", "daily", "test", "shop", "--target", "shop_again", *where)
        assert (done.returncode, json.loads(done.stdout)["error_kind"]) == (2, "RestoreRefused")
        done = host.command("restore", "daily", "test", "shop", "-o", "jobs=many", *where)
        assert done.returncode == 3
        done = host.command("restore", "daily", "nowhere", "shop", *where)
        assert done.returncode == 3
        assert "it has test" in done.stderr
    finally:
        server.sql("DROP DATABASE IF EXISTS shop_again")


def test_status_and_metrics_tell_of_all_jobs_of_the_host(host: JobHost, server: Any, scratch: Path) -> None:
    metrics = scratch / "metrics"
    metrics.mkdir()
    for name, instance in (("daily", "test"), ("other", "second")):
        backups = [host.backup_of(server, instance=instance, databases=["shop"])]
        host.write_job(name, backups, metrics_dir=str(metrics))
        host.write_secrets(name, logins={instance: login_of(server)})
    assert host.run("daily")[0] == 0
    text = (metrics / "backupdb.prom").read_text()
    assert 'instance="second"' in text  # that it has never run must be seen
    assert host.command("metrics", "--config-dir", str(host.config_dir)).stdout.startswith("# HELP backupdb_")
    done = host.command("status", "--config-dir", str(host.config_dir))
    assert done.returncode == 2
    assert "second" in done.stdout
    done = host.command("status", "daily", "--config-dir", str(host.config_dir), "--json")
    assert (done.returncode, json.loads(done.stdout)["status"]) == (0, "ok"), done.stdout


def test_who_wants_to_know_is_told_how_it_went(host: JobHost, server: Any) -> None:
    with web_receiver(200) as receiver:
        notifications = [
            {"name": "ping", "type": "ping"},
            {"name": "hook", "type": "webhook", "url": receiver.url("/hook")},
            {"name": "away", "type": "webhook", "url": "http://127.0.0.1:1/", "attempts": 1},
        ]
        host.write_job("daily", [host.backup_of(server, databases=["shop"])], notifications=notifications)
        ping = {"url": receiver.url("/Rm3kVq9")}
        host.write_secrets("daily", logins={"test": login_of(server)}, notifications={"ping": ping})
        assert host.run("daily")[0] == 0
        assert receiver.paths == ["/Rm3kVq9/start", "/Rm3kVq9"]
        host.write_secrets("daily", notifications={"ping": ping})
        status, result = host.run("daily")
    assert status == 2
    assert sorted(receiver.paths[2:]) == ["/Rm3kVq9/fail", "/Rm3kVq9/start", "/hook"]
    told = {entry["name"]: entry["sent"] for entry in result["notifications"]}
    assert told == {"ping": True, "hook": True, "away": False}
    assert any("'away' was not sent" in warning for warning in result["warnings"])
    body = next(request.json() for request in receiver.received if request.path == "/hook")
    assert body["job"] == "daily"
    assert "Rm3kVq9" not in json.dumps([result, body, host.record("daily")])


def test_a_job_does_not_begin_at_a_time_at_which_it_may_not_run(host: JobHost, server: Any) -> None:
    host.write_job("daily", [host.backup_of(server, databases=["wiki"])], not_between=["00:00-12:00", "12:00-24:00"])
    host.write_secrets("daily", logins={"test": login_of(server)})
    done = host.command("run", "daily", "--config-dir", str(host.config_dir))
    assert done.returncode == 75, done.stderr
    assert "and not_between has " in done.stderr
    assert stored_backups(host.repository, "wiki") == []
    assert host.command("run", "daily", "--at-any-time", "--config-dir", str(host.config_dir)).returncode == 0
    assert len(stored_backups(host.repository, "wiki")) == 1


@pytest.mark.parametrize("at_window", ["finish", "stop"])
def test_when_its_time_is_over_a_job_begins_nothing_more(
    host: JobHost, server: Any, at_window: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_big(server)
    options = {"databases": ["shop", "wiki"], "workers": 1, "accounts": False, "bandwidth_limit": "600K"}
    drill = {"every": "7d", "identity_file": str(host.identity_file)}
    path = host.write_job("daily", [host.backup_of(server, **options)], at_window=at_window, drill=drill)
    job = read_job(path)
    secrets = read_secrets("file", str(host.write_secrets("daily", logins={"test": login_of(server)})), {})
    monkeypatch.setattr(jobs, "closing_of", lambda _job: jobs.Closing(time.time() + 3, "not_between 08:00-18:00"))
    result = jobs.run_job(job, secrets, report=lambda *_arguments, **_fields: None)
    shop, wiki = (entry_of(result["backups"][0], name) for name in ("shop", "wiki"))
    assert shop["status"] == ("complete" if at_window == "finish" else "failed")
    assert wiki["status"] == "failed"
    assert len(stored_backups(host.repository, "shop")) == (1 if at_window == "finish" else 0)
    assert result["drill"] is None
    assert result["status"] == "failed"
    assert "stopped by not_between 08:00-18:00" in result["message"]
    assert unpublished(host.repository) == []

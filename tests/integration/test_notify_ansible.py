# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module notification, and playbooks that tell: once for all hosts, never failing for it, never with a secret."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.ansible import UNREACHABLE, AnsibleRun, ModuleRun
from support.receivers import WebReceiver, web_receiver
from support.returns import documentation_of, promised, undocumented
from support.stored import DUMP, SEALED, flip_bit, store

MODULE = "vya.backupdb.notification"
TOKEN = "T0KEN-canary-7f3a9c51-address"
PASSWORD = "canary-5d1f0e77-smtp-password"
FAST = {"attempts": 1, "timeout": "3s"}


def mail_to_nowhere() -> dict[str, Any]:
    """Nobody listens at port 1."""
    return {
        "name": "mail",
        "type": "email",
        "smtp_host": "127.0.0.1",
        "smtp_port": 1,
        "smtp_user": "backup",
        "smtp_password": PASSWORD,
        "from": "backup@example.org",
        "to": ["dba@example.org"],
        **FAST,
    }


def hook(receiver: WebReceiver, kind: str = "webhook", **more: Any) -> dict[str, Any]:
    return {"name": f"the {kind}", "type": kind, "url": receiver.url(f"/{TOKEN}"), **FAST, **more}


def test_the_module_sends_what_it_can_and_warns_of_what_it_cannot(run_module: Callable[..., ModuleRun]) -> None:
    with web_receiver() as receiver:
        options = {
            "event": "failure",
            "title": "The copy failed",
            "lines": ["status 23"],
            "details": {"status": 23},
            "host": "db1",
            "notifications": [
                hook(receiver),
                mail_to_nowhere(),
                {"name": "lost", "type": "slack", "url": f"http://127.0.0.1:1/{TOKEN}", **FAST},
                {"name": "broken", "type": "ping"},
            ],
        }
        foreseen = run_module(MODULE, options, check=True)
        assert receiver.received == []
        done = run_module(MODULE, options, verbosity=4, diff=True)
    for run in (foreseen, done):
        assert not run.failed, run.output
        assert not run.changed
        assert TOKEN not in run.output + json.dumps(run.result)
        assert PASSWORD not in run.output + json.dumps(run.result)
        documented = documentation_of(MODULE, "RETURN")
        assert undocumented(run.result, documented) == []
        assert promised(documented, "always") <= set(run.result)
    (request,) = receiver.received
    assert request.json()["lines"] == ["status 23"]
    assert request.json()["details"] == {"status": 23}
    assert foreseen.result["unsent"] == ["broken"]
    assert done.result["unsent"] == ["mail", "lost", "broken"]
    errors = {entry["name"]: entry["error"] for entry in done.result["notifications"]}
    assert errors["the webhook"] is None
    assert "127.0.0.1:1 cannot be reached: Connection refused" in errors["mail"]
    assert "The notification lost was not sent" in " ".join(done.output.split())


def test_a_wrong_option_is_refused_without_showing_the_address(run_module: Callable[..., ModuleRun]) -> None:
    with web_receiver() as receiver:
        options = {"event": "failure", "title": "x", "notifications": [{**hook(receiver), "type": "pager"}]}
        run = run_module(MODULE, options, verbosity=4)
    assert run.failed
    assert "value of type must be one of" in run.message
    assert TOKEN not in run.output
    assert receiver.received == []


@pytest.fixture
def inventory(inventory: dict[str, Any]) -> dict[str, Any]:
    """Two hosts that only read, each with a repository of its own, and one that is away."""
    inventory["all"]["hosts"]["gone"] = UNREACHABLE
    return inventory


def told(run: AnsibleRun, name: str) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = run.summary(f"{name}_summary")["notifications"]
    return entries


def test_a_playbook_tells_once_for_all_hosts_and_shows_who_could_not_be_told(
    run_playbook: Callable[..., AnsibleRun], inventory: dict[str, Any], scratch: Path
) -> None:
    bad = store(scratch / "db1", "wiki", host="db1", content=DUMP, envelope=SEALED)
    flip_bit(bad.folder / "data.sql.zst.age", 200)
    with web_receiver() as receiver:
        everyone = [hook(receiver), hook(receiver, "ping"), mail_to_nowhere()]
        inventory["all"]["vars"]["backupdb_notifications"] = everyone
        run = run_playbook("vya.backupdb.verify", inventory=inventory, verbosity=4, diff=True)
    assert run.returncode != 0
    assert TOKEN not in run.output
    assert PASSWORD not in run.output
    by_path = {request.path: request for request in receiver.received}
    assert sorted(by_path) == [f"/{TOKEN}", f"/{TOKEN}/fail", f"/{TOKEN}/start"]
    assert len(receiver.received) == 3
    assert "begins: hosts" in by_path[f"/{TOKEN}/start"].body
    event = by_path[f"/{TOKEN}"].json()
    assert (event["event"], event["job"]) == ("failure", "verification")
    assert event["title"] == "Verification failed: 1 host failed, 1 host unreachable, 1 host ok"
    assert event["details"]["hosts"] == {"gone": "unreachable", "db1": "failed", "db2": "ok"}
    assert any(line.startswith("db1: failed: ") and str(bad.folder) in line for line in event["lines"])
    outcomes = {entry["name"]: entry["sent"] for entry in told(run, "verify")}
    assert outcomes == {"the webhook": True, "the ping": True, "mail": False}
    assert "The notification mail was not sent" in " ".join(run.output.split())


def test_a_good_play_stays_good_when_nobody_can_be_told(
    run_playbook: Callable[..., AnsibleRun], inventory: dict[str, Any]
) -> None:
    del inventory["all"]["hosts"]["gone"]
    everyone = [{**mail_to_nowhere(), "events": ["success"]}, {"name": "broken", "type": "ping"}]
    inventory["all"]["vars"]["backupdb_notifications"] = everyone
    run = run_playbook("vya.backupdb.verify", inventory=inventory)
    assert run.returncode == 0, run.output
    assert {entry["name"]: entry["sent"] for entry in told(run, "verify")} == {"mail": False, "broken": False}
    # One of them already when the work began.
    assert " ".join(run.output.split()).count("was not sent") >= 2


def test_nothing_is_sent_in_check_mode_and_nothing_runs_without_notifications(
    run_playbook: Callable[..., AnsibleRun], inventory: dict[str, Any]
) -> None:
    del inventory["all"]["hosts"]["gone"]
    silent = run_playbook("vya.backupdb.verify", inventory=inventory)
    assert silent.returncode == 0, silent.output
    assert told(silent, "verify") == []
    with web_receiver() as receiver:
        inventory["all"]["vars"]["backupdb_notifications"] = [hook(receiver, "ping")]
        foreseen = run_playbook("vya.backupdb.verify", inventory=inventory, check=True)
    assert foreseen.returncode == 0, foreseen.output
    assert receiver.received == []


def test_a_notification_of_an_unknown_type_stops_the_play_before_it_begins(
    run_playbook: Callable[..., AnsibleRun], inventory: dict[str, Any]
) -> None:
    wrong = [{"name": "x", "type": "pager", "url": f"https://example.org/{TOKEN}"}]
    inventory["all"]["vars"]["backupdb_notifications"] = wrong
    run = run_playbook("vya.backupdb.verify", inventory=inventory, verbosity=4)
    assert run.returncode != 0
    assert "value of type must be one of" in run.output
    assert TOKEN not in run.output


@pytest.mark.parametrize(
    ("name", "work", "variables"),
    [
        ("backup", "Backup", {}),
        ("drill", "Drill", {"drill_repository": "/nonexistent/backups"}),
        (
            "restore",
            "Restore",
            {
                "restore_instance": "shop",
                "restore_database": "orders",
                "restore_from": "latest",
                "restore_target": "orders",
                "restore_confirm": "orders",
            },
        ),
    ],
)
def test_every_role_that_works_on_databases_tells_why_it_failed(
    run_playbook: Callable[..., AnsibleRun],
    inventory: dict[str, Any],
    name: str,
    work: str,
    variables: dict[str, Any],
) -> None:
    instance = {"id": "shop", "engine": "mariadb", "login_host": "127.0.0.1", "login_port": 1, "login_user": "nobody"}
    shared = {"backupdb_instances": [instance], "backupdb_encryption": "none", "restore_source_instance": "shop"}
    with web_receiver() as receiver:
        inventory["all"]["vars"].update(backupdb_notifications=[hook(receiver, "teams")], **shared)
        run = run_playbook(
            f"vya.backupdb.{name}", inventory=inventory, extra_vars=variables, arguments=["--limit", "db1"]
        )
    assert run.returncode != 0
    (request,) = receiver.received
    card = request.json()["attachments"][0]["content"]
    texts = [block["inlines"][0]["text"] for block in card["body"]]
    assert texts[0] == f"{work} failed: 1 host failed"
    assert any(text.startswith("db1: ") and len(text) > 40 for text in texts), texts
    assert [entry["sent"] for entry in told(run, name)] == [True]

# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The small filters between variables of roles, options of modules and summaries of hosts."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
from backupdb.notify import settings

FILTERS = "ansible_collections.vya.backupdb.plugins.filter"
run_summary = importlib.import_module(f"{FILTERS}.run_summary").run_summary
failure_message = importlib.import_module(f"{FILTERS}.failure_message").failure_message
keep_keys = importlib.import_module(f"{FILTERS}.keep_keys").keep_keys
backup_selection = importlib.import_module(f"{FILTERS}.backup_selection").backup_selection
wants_event = importlib.import_module(f"{FILTERS}.wants_event").wants_event


@pytest.mark.parametrize("status", ["ok", "planned"])
def test_a_good_run_is_ok_and_keeps_what_it_is_asked_for(status: str) -> None:
    result = {"status": status, "message": "all good", "removed": 3, "invocation": "SECRET"}
    assert run_summary(result, keep={"removed": 0, "lines": []}) == {
        "status": "ok",
        "message": "all good",
        "removed": 3,
        "lines": [],
    }


def test_a_bad_run_is_failed_with_its_own_words() -> None:
    assert run_summary({"status": "partial", "message": "one is busy"})["status"] == "failed"
    assert run_summary({"status": "failed", "message": "2 are bad"}) == {"status": "failed", "message": "2 are bad"}
    assert run_summary({"failed": True, "msg": "no such option"})["message"] == "no such option"


def test_an_error_that_is_expected_is_no_failure() -> None:
    lacking = {"failed": True, "msg": "no SQLAlchemy", "error_kind": "RequirementMissing"}
    assert run_summary(lacking)["status"] == "failed"
    assert run_summary(lacking, expected_errors=["RequirementMissing"])["status"] == "ok"


def test_a_host_without_any_run_tells_why() -> None:
    assert run_summary({}, error="no apt here") == {"status": "failed", "message": "no apt here"}
    assert run_summary({}, error="no route", unreachable=True) == {"status": "unreachable", "message": "no route"}
    assert run_summary({"skipped": True}, nothing="nothing was verified")["message"] == "nothing was verified"
    lost = {"unreachable": True, "msg": "connection lost"}
    assert run_summary(lost) == {"status": "unreachable", "message": "connection lost"}


def test_an_error_wins_over_what_the_run_said() -> None:
    assert run_summary({"status": "ok", "message": "fine"}, error="no space left")["status"] == "failed"


def test_why_a_task_failed_is_told_by_the_items_of_its_loop() -> None:
    assert failure_message({"failed": True, "msg": "no space left"}) == "no space left"
    items = [{"failed": True, "msg": "a"}, {"failed": False, "msg": "b"}, {"failed": True, "msg": "c"}, {"msg": "d"}]
    assert failure_message({"failed": True, "msg": "One or more items failed", "results": items}) == "a; c"
    assert failure_message({"failed": True, "msg": "lost", "results": []}) == "lost"
    assert failure_message({"failed": True}) == "a task failed"


def test_keys_that_are_not_listed_are_left_out() -> None:
    assert keep_keys({"a": 1, "b": 2}, ["a", "c"]) == {"a": 1}


@pytest.mark.parametrize(
    ("answer", "option"),
    [
        ("latest", {"latest": True}),
        ("20261124T031500Z-0a1b2c3d", {"backup_id": "20261124T031500Z-0a1b2c3d"}),
        ("2026-11-24T03:15:00Z", {"at": "2026-11-24T03:15:00Z"}),
        ("20261124T031500Z-0a1b2c3", {"at": "20261124T031500Z-0a1b2c3"}),
    ],
)
def test_an_answer_that_is_no_path_selects_a_backup_of_a_database(answer: str, option: dict[str, Any]) -> None:
    place = {"instance": "shop-pg", "database": "shop"}
    assert backup_selection(answer, "db1", "shop-pg", "shop") == {"host": "db1", **place, **option}
    assert backup_selection(answer, "", "shop-pg", "shop") == {**place, **option}


def test_a_path_selects_a_backup_alone() -> None:
    assert backup_selection("/srv/b/db1/x", "db1", "shop-pg", "shop") == {"path": "/srv/b/db1/x"}


def test_notifications_want_the_events_that_the_library_sends_them() -> None:
    mail = {"name": "m", "type": "email", "smtp_host": "mx", "from": "a@example.org", "to": ["b@example.org"]}
    ping = {"name": "p", "type": "ping", "url": "https://ping.example.org/x"}
    chosen = [{}, {"events": None}, {"events": "start"}, {"events": ["success"]}, {"events": ["start", "failure"]}]
    for options in ({**receiver, **events} for receiver in (mail, ping) for events in chosen):
        sent = settings.notification_from(options, {}).events
        for event in ("start", "success", "failure"):
            assert wants_event([options], event) == (event in sent), (options, event)
    assert wants_event([mail, ping], "start")
    assert not wants_event([], "failure")

# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The summary of the role account: which logins are as requested."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

UTILS = "ansible_collections.vya.backupdb.plugins.plugin_utils"
summaries = importlib.import_module(f"{UTILS}.summaries")
login_summary = importlib.import_module(f"{UTILS}.login_summary").login_summary


def done(managed: Sequence[dict[str, Any]], trials: Sequence[dict[str, Any]] = ()) -> Any:
    called = [summaries.Called("vya.backupdb.backup_account", "shop-pg", result) for result in managed]
    called += [summaries.Called("vya.backupdb.database_info", "shop-pg", result) for result in trials]
    return summaries.Done("db1", called=called)


def prepared(result: dict[str, Any]) -> Any:
    return summaries.Done("db1", called=[summaries.Called("ansible.builtin.apt", None, result)])


def managed(instance: str, **more: Any) -> dict[str, Any]:
    said = {"status": "ok", "message": f"{instance} is done", "statements": [f"GRANT ON {instance}"]}
    return {"instance": instance, "secret": "SECRET", **said, **more}


def test_logins_that_are_as_requested_are_counted_and_their_statements_shown() -> None:
    results = [managed("shop-pg"), managed("wiki-db")]
    trials = [{"missing_privileges": [{"severity": "warning", "grant": "GRANT x"}]}]
    summary = login_summary(done(results, trials))
    assert (summary["status"], summary["message"]) == ("ok", "2 logins are as requested")
    assert summary["lines"] == ["shop-pg is done", "wiki-db is done", "GRANT ON shop-pg", "GRANT ON wiki-db"]
    assert [login["instance"] for login in summary["logins"]] == ["shop-pg", "wiki-db"]
    assert "SECRET" not in str(summary)
    assert login_summary(done([managed("shop-pg")]))["message"] == "1 login is as requested"


def test_everything_that_is_wrong_is_told_before_what_is_right() -> None:
    results = [
        managed("shop-pg"),
        managed("a", status="failed", message="it can change something"),
        managed("b", status="failed", error_kind="ConnectionFailed", msg="wrong password"),
        {"failed": True},
        {"failed": True, "msg": "no python"},
    ]
    trials = [
        {"failed": True, "msg": "not let in"},
        {"missing_privileges": [{"severity": "fatal", "grant": "GRANT SELECT"}]},
    ]
    summary = login_summary(done(results, trials))
    bad = ["it can change something", "wrong password", "the module failed", "no python", "not let in", "GRANT SELECT"]
    assert summary["status"] == "failed"
    assert summary["message"] == "; ".join(bad)
    assert summary["lines"][: len(bad)] == bad
    assert summary["lines"][len(bad)] == "shop-pg is done"


def test_a_missing_library_is_part_of_the_plan_where_it_is_expected() -> None:
    lacking = managed("a", status="failed", error_kind="RequirementMissing", msg="no SQLAlchemy", statements=[])
    assert login_summary(done([lacking]))["status"] == "failed"
    assert login_summary(done([{**lacking, "expected": True}]))["status"] == "unknown"


def test_a_host_without_any_run_tells_why() -> None:
    assert login_summary(summaries.Done("db1", error="no such variable")) == {
        "status": "failed",
        "message": "no such variable",
        "lines": ["no such variable"],
        "logins": [],
    }
    assert login_summary(prepared({"failed": True, "msg": "no apt here"}))["message"] == "no apt here"
    assert login_summary(prepared({"unreachable": True, "msg": "no route"}))["status"] == "unreachable"

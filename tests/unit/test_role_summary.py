# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The summary that the role backup prints and publishes."""

from __future__ import annotations

import importlib
from typing import Any

import pytest

UTILS = "ansible_collections.vya.backupdb.plugins.plugin_utils"
WORKS = importlib.import_module(f"{UTILS}.works").WORKS
summaries = importlib.import_module(f"{UTILS}.summaries")


def database(name: str, status: str = "complete", **more: Any) -> dict[str, Any]:
    published = status in ("complete", "partial")
    return {
        "name": name,
        "status": status,
        "path": f"/srv/backup/db1/shop/{name}/1" if published else None,
        "plain_bytes": 4096 if published else 0,
        "stored_bytes": 2048 if published else 0,
        "duration": 1.5,
        "missing": [],
        "error": None,
        "reason": None,
        **more,
    }


def result(instance: str, status: str, databases: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return {
        "instance": instance,
        "status": status,
        "failed": status not in ("ok", "planned"),
        "message": f"{instance} said so",
        "engine": "postgresql",
        "server_version": "15.18",
        "stored_bytes": 6144,
        "duration": 3.5,
        "databases": databases,
        "accounts": None,
        **more,
    }


def called(module: str, result: dict[str, Any], item: str | None = None) -> Any:
    return summaries.Called(f"vya.backupdb.{module}", item, result)


def backup_summary(results: list[dict[str, Any]], copying: dict[str, Any] | None = None) -> dict[str, Any]:
    calls = [called("database_backup", one, "shop") for one in results]
    calls += [called("backup_copy", copying)] if copying else []
    return summary_of("backup", *calls)


def summary_of(work: str, *calls: Any, error: str = "") -> dict[str, Any]:
    about = {"instance": "shop-pg", "target": "shop", "rebuilt": "db1"}
    found: dict[str, Any] = WORKS[work].sum_up(summaries.Done("db1", called=calls, error=error, about=about))
    return found


def overview(hosts: dict[str, dict[str, Any]], work: str = "backup") -> dict[str, Any]:
    known = {host: summary for host, summary in hosts.items() if summary}
    found: dict[str, Any] = WORKS[work].overview(known, hosts)
    return found


def test_a_good_run_is_ok_and_every_backup_has_its_line() -> None:
    summary = backup_summary(
        [result("shop", "ok", [database("orders"), database("a")], accounts=database("@accounts"))]
    )
    assert summary["status"] == "ok"
    assert summary["lines"] == [
        "shop: ok (postgresql 15.18): 3 complete; 6.0 KiB stored in 3.5 s",
        "  complete  orders        2.0 KiB     1.5 s  /srv/backup/db1/shop/orders/1",
        "  complete  a             2.0 KiB     1.5 s  /srv/backup/db1/shop/a/1",
        "  complete  @accounts     2.0 KiB     1.5 s  /srv/backup/db1/shop/@accounts/1",
    ]


def test_a_host_is_as_bad_as_its_worst_instance() -> None:
    partial = result("a", "partial", [database("x", "partial", missing=["trigger t"])])
    failed = result("b", "failed", [database("y", "failed", error="wrong flag")])
    assert backup_summary([partial, result("c", "ok", [])])["status"] == "partial"
    summary = backup_summary([partial, failed, result("c", "ok", [])])
    assert summary["status"] == "failed"
    assert summary["message"] == "Not all is backed up: a partial, b failed."
    assert any("trigger t" in line for line in summary["lines"])
    assert any("wrong flag" in line for line in summary["lines"])


def test_an_instance_that_could_not_begin_tells_why() -> None:
    lost = {"failed": True, "msg": "wrong password", "status": "failed"}
    assert backup_summary([lost])["lines"] == ["shop: failed: wrong password"]


def test_an_instance_whose_host_was_lost_on_the_way_is_unreachable() -> None:
    assert backup_summary([{"unreachable": True, "msg": "connection lost"}])["status"] == "unreachable"


def test_a_host_without_any_run_tells_why() -> None:
    assert summary_of("backup", error="no apt here") == {
        "status": "failed",
        "message": "No backup was made: no apt here",
        "lines": ["No backup was made: no apt here"],
        "instances": [],
        "copying": {},
        "warnings": [],
    }
    lost = summaries.Called("ansible.builtin.stat", None, {"unreachable": True, "msg": "no route"})
    summary = summary_of("backup", lost)
    assert (summary["status"], summary["message"]) == ("unreachable", "No backup was made: no route")


def test_a_plan_shows_what_each_database_needs() -> None:
    planned = database("orders", "planned", plan={"forecast_bytes": 2048})
    summary = backup_summary([result("shop", "planned", [planned])])
    assert summary["status"] == "ok"
    assert summary["lines"][1] == "  planned   orders  needs about 2.0 KiB"


def unprepared(*results: dict[str, Any]) -> list[dict[str, Any]]:
    return [{**one, "unprepared": True} for one in results]


def test_a_check_counts_what_would_become_of_each_backup() -> None:
    no_right = "SELECT on TABLE t is missing; run as administrator: GRANT SELECT ON TABLE t TO backupdb;"
    databases = [
        database("a", "planned", plan={"forecast_bytes": 2048}),
        database("b", "failed", plan={}, error=no_right),
        database("c", "failed", plan={}, error=no_right),
        database("d", "partial", plan={}, path=None, missing=["view v"]),
    ]
    summary = backup_summary([result("shop", "failed", databases)])
    assert (summary["status"], summary["message"]) == ("failed", "Not all would be backed up: shop failed.")
    assert summary["lines"] == [
        "shop: failed (postgresql 15.18): 2 of 4 backups would be made, 1 would be partial, 2 would fail",
        "  planned   a  needs about 2.0 KiB",
        f"  failed    b  {no_right}",
        "  failed    c  (as above)",
        "  partial   d  view v",
    ]


def test_what_a_host_that_is_not_prepared_would_do_is_unknown_and_never_ok() -> None:
    missing = {"failed": False, "msg": "no psycopg2", "status": "failed"}
    blocked = result("wiki", "failed", [database("b", "failed", plan={}, error="no client")], failed=False)
    good = result("tills", "planned", [database("a", "planned", plan={})])
    summary = backup_summary(unprepared(missing, blocked, good))
    unknown = "unknown until the host is prepared"
    assert (summary["status"], summary["message"]) == ("unknown", f"What a run would do is {unknown}.")
    assert summary["lines"] == [
        f"shop: unknown: {unknown}: no psycopg2",
        f"wiki: unknown: {unknown}: wiki said so",
        "  unknown   b  no client",
        f"tills: unknown: {unknown}: tills said so",
        "  planned   a",
    ]
    joined = overview({"db1": summary, "db2": backup_summary([result("x", "ok", [])])})
    assert (joined["status"], joined["message"]) == ("unknown", "1 host unknown, 1 host ok")


def test_what_fails_for_certain_fails_also_before_the_host_is_prepared() -> None:
    certain = result("shop", "failed", [database("b", "failed", plan={}, error="GRANT SELECT")])
    summary = backup_summary(unprepared(certain, result("wiki", "planned", [])))
    assert summary["status"] == "failed"
    assert overview({"db1": summary})["status"] == "failed"


def test_warnings_are_shown() -> None:
    outside = database("orders", warnings=["table log is outside the snapshot"])
    summary = backup_summary([result("shop", "ok", [outside], warnings=["database 'old' is gone"])])
    assert summary["lines"][-2:] == [
        "    warning: table log is outside the snapshot",
        "warning: database 'old' is gone",
    ]


def test_a_required_copy_that_is_behind_makes_the_host_partial_and_the_overview_names_it() -> None:
    backups = [result("shop", "ok", [], warnings=["old"])]
    line = "copy offsite: the store refuses the key"
    copying = {"status": "failed", "failed": False, "message": line, "lines": [line], "copies": [{"name": "offsite"}]}
    summary = backup_summary(backups, copying={**copying, "warnings": ["listing is slow"]})
    assert summary["status"] == "partial"
    assert summary["message"] == f"Every instance is backed up. Not all is copied: {line}"
    assert summary["lines"][-3:] == [line, "warning: old", "warning: listing is slow"]
    assert summary["copying"] == {
        "status": "failed",
        "message": line,
        "lines": [line],
        "copies": [{"name": "offsite"}],
    }
    assert overview({"db1": summary})["lines"] == ["1 host partial", f"db1: copying failed: {line}"]


def test_copies_that_have_everything_or_were_not_tried_change_nothing() -> None:
    registered = [result("shop", "ok", [])]
    whole = {"status": "ok", "message": "m", "lines": ["copy offsite: 1 backup sent"], "copies": []}
    assert backup_summary(registered, copying=whole)["status"] == "ok"
    assert backup_summary(registered, copying={**whole, "status": "planned"})["status"] == "ok"
    assert backup_summary(registered)["copying"] == {}
    lost = backup_summary(registered, copying={"unreachable": True, "msg": "connection lost"})
    assert (lost["status"], lost["copying"]["status"]) == ("partial", "unreachable")
    assert lost["lines"][-1] == "copying unreachable: connection lost"


def test_the_overview_counts_a_host_without_a_summary_as_failed() -> None:
    good = backup_summary([result("shop", "ok", [])])
    joined = overview({"db1": good, "db2": {}})
    assert joined["status"] == "failed"
    assert joined["message"] == "1 host failed, 1 host ok"
    assert joined["hosts"]["db2"]["status"] == "failed"
    assert overview({"db1": good})["status"] == "ok"


def test_the_overview_names_what_is_not_well_and_why_and_nothing_else() -> None:
    good = backup_summary([result("shop", "ok", [])])
    bad = backup_summary([result("shop", "partial", [])])
    assert overview({"db1": good, "db2": bad, "db3": good, "db4": {}})["lines"] == [
        "1 host failed, 1 host partial, 2 hosts ok",
        "db4: failed: No backup was made: the host did not get as far as that, see its error.",
        "db2: shop partial: shop said so",
    ]


def test_the_overview_takes_summaries_of_other_work() -> None:
    drills = {
        "db1": {"status": "ok", "message": "2 proven", "lines": ["shop proven", "wiki proven"]},
        "db2": {"status": "failed", "message": "1 of 2 proven: wiki differs", "lines": ["shop proven", "wiki differs"]},
        "db3": {"status": "unreachable", "message": "no route"},
    }
    assert overview(drills, "drill")["lines"] == [
        "1 host failed, 1 host unreachable, 1 host ok",
        "db2: failed: 1 of 2 proven: wiki differs",
        "db3: unreachable: no route",
    ]


def test_what_every_instance_warned_about_is_told_once() -> None:
    summary = backup_summary([result("shop", "ok", [], warnings=["no repository"]) for _n in range(2)])
    assert summary["warnings"] == ["no repository"]


def test_the_name_of_an_instance_stands_once_in_its_line() -> None:
    named = result("shop", "ok", [], message="instance shop (postgresql at 127.0.0.1): 3 complete")
    lines = backup_summary([named])["lines"]
    assert lines == ["shop: ok (postgresql at 127.0.0.1): 3 complete"]


@pytest.mark.parametrize("status", ["ok", "planned"])
def test_a_good_run_is_ok_and_keeps_what_is_published(status: str) -> None:
    good = {"status": status, "message": "all good", "removed": 3, "kept": 2, "invocation": "SECRET"}
    summary = summary_of("prune", called("backup_prune", good))
    assert (summary["status"], summary["message"], summary["removed"]) == ("ok", "all good", 3)
    assert (summary["databases"], "SECRET" in str(summary)) == ([], False)


@pytest.mark.parametrize(
    ("result", "status", "message"),
    [
        ({"status": "partial", "message": "one is busy"}, "failed", "one is busy"),
        ({"failed": True, "msg": "no such option"}, "failed", "no such option"),
        ({"failed": False, "expected": True, "msg": "no SQLAlchemy"}, "unknown", "no SQLAlchemy"),
        ({"unreachable": True, "msg": "connection lost"}, "unreachable", "connection lost"),
        ({}, "failed", "nothing was pruned"),
    ],
)
def test_what_did_not_go_well_is_told_in_its_own_words(result: dict[str, Any], status: str, message: str) -> None:
    summary = summary_of("prune", called("backup_prune", result))
    assert (summary["status"], summary["message"]) == (status, message)


def test_a_mistake_in_the_variables_is_an_error_of_every_work() -> None:
    for name in WORKS:
        summary = summary_of(name, error="backupdb_repository must be an absolute path")
        assert summary["status"] == "failed", name
        assert "backupdb_repository must be" in overview({"db1": summary}, name)["lines"][-1], name


def test_a_backup_that_leaves_something_out_says_so_on_its_line_and_that_of_its_instance() -> None:
    summary = backup_summary([result("shop", "ok", [database("a", without="without 3 tables"), database("b")])])
    instance, first, second = summary["lines"]
    assert "2 complete, 1 of them without something that is left out on purpose;" in instance
    assert "  without 3 tables  /srv/backup" in first and "without" not in second
    assert [one["without"] for one in summary["instances"][0]["backups"]] == ["without 3 tables", ""]

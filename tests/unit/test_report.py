# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report: looks are judged as the status judges them, nothing is silently absent, and nobody's answer breaks it."""

from __future__ import annotations

import csv
import importlib
import io
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from backupdb.cli.main import main
from backupdb.errors import InvalidOption
from backupdb.monitoring import status
from backupdb.report import as_html
from backupdb.report.as_csv import csv_of
from backupdb.report.as_html import html_of
from backupdb.report.coverage import CLASSES
from backupdb.report.data import data_of
from backupdb.report.facts import of_host
from backupdb.report.fleet import Look, fleet_of
from backupdb.report.shape import Malformed, checked
from backupdb.report.written import text_of
from backupdb.repository.copy_source import CopySource
from backupdb.repository.stores.settings import copy_from
from backupdb.system.text import printable
from support.monitored import NASTY, job_of, jobs_with_everything, keep, note_run
from support.reported import HOSTILE, NOW, database, every_state, facts, large, series

report_work = importlib.import_module("ansible_collections.vya.backupdb.plugins.plugin_utils.report_work")
summaries = importlib.import_module("ansible_collections.vya.backupdb.plugins.plugin_utils.summaries")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    folder.mkdir(mode=0o700)
    return folder


def judged(*looks: Look) -> dict[str, Any]:
    return fleet_of(looks, now=NOW, title="Backups")


def test_every_class_is_in_the_fleet_of_the_tests_and_told() -> None:
    model = judged(*every_state())
    known = {entry["coverage"] for entry in model["databases"]}
    assert known == {one.name for one in CLASSES}
    page = html_of(model)
    assert all(one.meaning in page for one in CLASSES)


def test_facts_have_the_verdicts_of_the_status_and_the_form_that_is_checked(root: Path) -> None:
    jobs = jobs_with_everything(root)
    told = status.of_host(jobs, repository=str(root))
    found = of_host(jobs, repository=str(root), retention={"keep_last": 2})
    assert [(one["database"], one["state"]) for one in found["databases"]] == [
        (row["database"], row["state"]) for row in told["rows"]
    ]
    assert [one["text"] for one in found["complaints"]] == told["complaints"]
    read = checked(json.loads(json.dumps(found)))
    assert set(read) == set(found)
    assert [set(one) for one in read["databases"]] == [set(one) for one in found["databases"]]
    said = {(item["subject"], item["why"]) for item in judged(Look("db1", found))["attention"]}
    assert len(said) >= len(told["complaints"])


def test_each_complaint_of_the_status_is_in_the_attention_with_a_next_step(root: Path) -> None:
    jobs = jobs_with_everything(root)
    found = of_host(jobs, repository=str(root))
    attention = judged(Look("db1", found))["attention"]
    said = [item["why"] for item in attention]
    unsaid = [one["text"] for one in found["complaints"] if not printable(one["text"]).endswith(tuple(said))]
    assert found["complaints"]
    assert unsaid == []
    assert all(item["next_step"] for item in attention)
    assert any("backupdb run nightly" in item["next_step"] for item in attention)


def test_what_no_run_takes_is_named_with_its_rule(root: Path) -> None:
    keep(root, "shop", hours=1)
    note_run(root, {"shop": "complete"}, present=["tmp"])
    (instance,) = of_host([], repository=str(root))["instances"]
    assert instance["excluded"] == [{"name": "tmp", "rule": "the newest run does not say why"}]
    page = html_of(judged(Look("db1", of_host([], repository=str(root)))))
    assert "<bdi>tmp</bdi>" in page


def test_a_drill_that_failed_is_no_ok_and_a_restore_is_as_long_as_the_drills(root: Path) -> None:
    keep(root, "shop", hours=30, drill="equal")
    keep(root, "shop", hours=2, drill="different")
    note_run(root, {"shop": "complete"})
    model = judged(Look("db1", of_host([], repository=str(root))))
    (entry,) = [one for one in model["databases"] if one["database"] == "shop"]
    assert (entry["state"], entry["coverage"]) == ("ok", "drill failed")
    assert [item["level"] for item in model["attention"] if item["database"] == entry["number"]] == [0]


def test_a_repository_of_many_hosts_is_told_host_by_host(root: Path) -> None:
    for host in ("db1", "db2"):
        keep(root, "shop", hours=1, host=host)
        keep(root, "old", hours=90, host=host)
    model = judged(Look("vault", of_host([], repository=str(root))))
    assert [host["name"] for host in model["hosts"]] == ["db1 at vault", "db2 at vault"]
    assert {entry["seen_at"] for entry in model["databases"]} == {"vault"}
    assert all(item["database"] is not None for item in model["attention"])
    assert sum(day["backups"] for day in model["days"]) == 4


def test_the_policy_of_a_job_says_what_is_kept_and_when_space_is_freed(root: Path) -> None:
    for day in range(10):
        keep(root, "shop", hours=1 + 24 * day)
    job = job_of(root, retention={"keep_daily": 7})
    (shop,) = [one for one in of_host([job])["databases"] if one["database"] == "shop"]
    each = shop["history"][0]["stored_bytes"]
    assert shop["retention"]["policy"] == "keep_daily 7"
    assert shop["retention"]["keeps"] == 7
    assert shop["retention"]["freed_bytes"] == [3 * each, 10 * each, 10 * each]
    stopped = job_of(root, retention={"keep_daily": 7, "max_age": "1m"})
    (shop,) = [one for one in of_host([stopped])["databases"] if one["database"] == "shop"]
    assert "backups seem to have stopped" in shop["retention"]["refused"]


def test_keys_are_counted_with_what_depends_on_them_alone(root: Path) -> None:
    for hours, keys in ((50, ["age1a"]), (30, ["age1a", "age1b"]), (1, ["age1a", "age1b"])):
        archive = {"name": "data", "format": "sql", "compression": "zstd", "encryption": "age-x25519"}
        sizes = {"plain_bytes": 1, "stored_bytes": 1, "plain_sha256": "0" * 64, "sha256": "0" * 64}
        keep(root, "shop", hours=hours, content=None, archives=[{**archive, **sizes, "recipients": keys}])
    keys = {one["key"]: (one["backups"], one["alone"]) for one in of_host([], repository=str(root))["keys"]}
    assert keys == {"age1a": (3, 1), "age1b": (2, 0)}


def spoiled(*path: Any, value: Any) -> dict[str, Any]:
    """Facts with one value of another kind."""
    document: Any = facts("db1", [database("shop", host="db1", instance="pg", history=series([40] * 5))])
    at = document
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    found: dict[str, Any] = document
    return found


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (None, "not of schema 1"),
        ({"schema": 2}, "not of schema 1"),
        (spoiled("databases", value={}), "databases: is no list"),
        (spoiled("databases", 0, "state", value="fine"), "databases: state: is not known"),
        (spoiled("databases", 0, "state", value=["ok"]), "databases: state: is not known"),
        (spoiled("databases", 0, "backups", value=-1), "databases: backups: is no count"),
        (spoiled("databases", 0, "age_seconds", value=float("nan")), "is no number"),
        (spoiled("databases", 0, "newest", value="<b>now</b>"), "newest: is no time"),
        (spoiled("databases", 0, "history", 0, "plain_bytes", value="1"), "history: plain_bytes: is no count"),
        (spoiled("days", 0, "day", value="today"), "days: day: is no time"),
        (spoiled("message", value="x" * 20_001), "message: is no text"),
    ],
)
def test_a_host_whose_answer_is_odd_is_unknown_and_hides_no_other(document: Any, words: str) -> None:
    with pytest.raises(Malformed, match=words):
        checked(document)
    good = Look("db2", facts("db2", [database("crm", host="db2", instance="pg", history=series([40] * 5))]))
    model = judged(Look("db1", document), good)
    assert [host["unknown"] is None for host in model["hosts"]] == [False, True]
    assert [(item["host"], words in item["why"]) for item in model["attention"]] == [("db1", True)]
    assert html_of(model)
    done = summaries.Done("db1", [summaries.Called("", None, {"facts": document or {}})])
    assert report_work.REPORT.sum_up(done)["status"] == "failed"


def test_hostile_names_are_only_names_in_every_form() -> None:
    entries = [database(name, host="db1", instance="pg", history=series([40] * 5)) for name in HOSTILE]
    formula = database("=HYPERLINK(1)", host="db1", instance="pg", history=series([40] * 5), state="late")
    model = judged(Look('db1"><script>', facts('db1"><script>', [*entries, formula])))
    page = html_of(model)
    assert page.count("<script") == 2
    assert "<img" not in page
    assert not any(sign in page for sign in ("\u202e", "\0"))
    assert all(len(line) < 20_000 for line in csv_of(model).splitlines())
    rows = list(csv.DictReader(io.StringIO(csv_of(model))))
    assert len(rows) == len(HOSTILE) + 1
    assert rows[-1]["database"] == "'=HYPERLINK(1)"


def test_the_data_of_a_page_gets_smaller_where_there_is_little_room() -> None:
    model = judged(*large(30, 10))
    whole, little = (json.loads(data_of(model, room)) for room in (10_000_000, 120_000))
    assert {len(one["h"]) for one in whole["databases"]} == {30}
    assert {len(one["h"]) for one in little["databases"]} < {10, 9, 8, 7, 6, 5, 4, 3}


def test_without_the_template_engine_the_message_names_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "jinja2", None)
    with pytest.raises(as_html.RequirementMissing, match="python3-jinja2"):
        html_of(judged())
    assert csv_of(judged()).startswith("look,host")


def test_the_command_writes_what_the_names_of_the_files_say(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keep(root, "shop", hours=1, drill="equal")
    keep(root, NASTY, hours=90)
    files = [tmp_path / f"report.{form}" for form in ("html", "json", "csv")]
    ended = main(["report", "--repository", str(root), *(word for path in files for word in ("-o", str(path)))])
    assert ended == 1
    said = capsys.readouterr().out
    assert "the newest backup is 3 d 18 h old" in said
    assert "2 databases: 1 stale, 1 proven; written: " in said
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    assert json.loads(files[1].read_text(encoding="utf-8"))["summary"]["databases"] == 2
    assert main(["report", "--repository", str(root), "-o", str(tmp_path / "report.pdf")]) == 3
    assert "must end in .html, .json, .csv" in capsys.readouterr().err
    with pytest.raises(InvalidOption):
        text_of(judged(), Path("report"))


def test_ages_are_those_of_the_moment_of_the_report() -> None:
    entry = database("shop", host="db1", instance="pg", history=series([40] * 5), proven=30)
    model = fleet_of([Look("db1", facts("db1", [entry]))], now=NOW + timedelta(hours=10), title="Backups")
    assert model["databases"][0]["proven_age_seconds"] == 40 * 3600


def test_a_copy_is_looked_at_like_a_repository(root: Path, tmp_path: Path) -> None:
    keep(root, "shop", hours=30, drill="equal")
    newest = keep(root, "shop", hours=1)
    settings = copy_from({"name": "disk", "type": "local", "path": str(root)}, "copy")
    found = of_host([], copy=CopySource(settings, str(tmp_path / "looking")), retention={"keep_last": 1})
    (shop,) = found["databases"]
    assert (found["copy"], shop["path"], len(shop["history"])) == ("disk", str(newest), 2)
    assert shop["retention"] is None  # a copy has a policy of its own
    page = html_of(judged(Look("db1", found)))
    assert '"c":"disk"' in page


@pytest.mark.parametrize(
    ("path", "mode", "words"),
    [("nowhere/report.html", "0600", "No such file"), ("report.html", "rw", "invalid literal")],
)
def test_a_report_that_cannot_be_written_is_an_error_with_the_file(
    tmp_path: Path, path: str, mode: str, words: str
) -> None:
    options = {
        "report_path": str(tmp_path / path),
        "report_formats": ["csv"],
        "report_mode": mode,
        "report_title": "Backups",
    }
    summaries_of_hosts = {"db1": {"status": "failed", "message": "no answer"}}
    told = report_work.REPORT.write(summaries_of_hosts, options, True)
    assert (told.error, list(tmp_path.iterdir())) == (None, [])
    told = report_work.REPORT.write(summaries_of_hosts, options, False)
    assert f"{(tmp_path / path).with_suffix('.csv')} cannot be written" in told.error
    assert words in told.error

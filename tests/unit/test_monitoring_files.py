# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Alert rules and dashboard: they name only metrics and labels that the code makes, and their expressions are whole."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from backupdb.monitoring import metrics
from support.ansible import ROOT
from support.exposition import Family, read_metrics
from support.monitored import jobs_with_everything

MONITORING = ROOT / "docs" / "monitoring"
WORDS = {
    *("time", "max", "sum", "count", "absent", "delta", "predict_linear", "vector", "label_values"),
    *("by", "or", "offset"),
}
OF_PROMETHEUS = {"instance", "job"}
VARIABLES = {"datasource", "host", "backup_instance"}
TOKEN = re.compile(
    r"\s*(?:(?P<string>\"[^\"]*\")|(?P<number>\d+(?:\.\d+)?(?:[smhdw](?!\w))?)|(?P<name>[a-zA-Z_][a-zA-Z0-9_]*)"
    r"|(?P<mark>=~|!~|!=|==|<=|>=|[-+*/<>=(){}\[\],]))"
)


@pytest.fixture(scope="module")
def families(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Family]:
    root = tmp_path_factory.mktemp("host") / "repository"
    root.mkdir(mode=0o700)
    found = read_metrics(metrics.of_host(jobs_with_everything(root)))
    found["backupdb_job_next_run_timestamp_seconds"] = found["backupdb_job_status"]
    assert set(found) == set(metrics.HELP)
    return found


def rules() -> list[dict[str, Any]]:
    content = yaml.safe_load((MONITORING / "alerts.yml").read_text(encoding="utf-8"))
    return [rule for group in content["groups"] for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = dashboard()["panels"]
    return found


def dashboard() -> dict[str, Any]:
    content: dict[str, Any] = json.loads((MONITORING / "dashboard.json").read_text(encoding="utf-8"))
    return content


def tokens(expression: str) -> Iterator[tuple[str, str]]:
    """The tokens of an expression; AssertionError where it has something else."""
    position = 0
    while position < len(expression.rstrip()):
        match = TOKEN.match(expression, position)
        assert match is not None, f"{expression!r} cannot be read from {expression[position:]!r}"
        kind = str(match.lastgroup)
        yield kind, match.group(kind)
        position = match.end()


def metrics_in(expression: str, families: dict[str, Family]) -> set[str]:
    """The metrics of an expression, which must be whole, with labels that these metrics have."""
    found: set[str] = set()
    labels: set[str] = set()
    open_marks: list[str] = []
    before = ("", "")
    grouping = False
    for kind, text in tokens(expression):
        if kind == "mark" and text in "([{":
            grouping = grouping or before == ("name", "by")
            open_marks.append(text)
        elif kind == "mark" and text in ")]}":
            assert open_marks and open_marks.pop() + text in ("()", "[]", "{}"), expression
            grouping = False
        elif kind == "name" and text.startswith("backupdb_"):
            found.add(text)
        elif kind == "name" and (grouping or open_marks[-1:] == ["{"]):
            labels.add(text)
        elif kind == "name" and not expression.startswith("label_values("):
            assert text in WORDS, f"{text} in {expression!r}"
        before = (kind, text)
    assert open_marks == [], expression
    assert found, expression
    assert found <= set(families), expression
    for name in found:
        known = families[name].labels() | OF_PROMETHEUS
        assert labels <= known, f"{name} has no {labels - known}: {expression!r}"
    return found


def test_every_rule_is_whole_and_names_what_there_is(families: dict[str, Family]) -> None:
    assert len({rule["alert"] for rule in rules()}) == len(rules())
    for rule in rules():
        named = metrics_in(rule["expr"], families)
        assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}, rule["alert"]
        assert re.fullmatch(r"\d+[mhd]", rule.get("for", "1m")), rule["alert"]
        assert rule["labels"]["severity"] in ("critical", "warning", "info")
        assert set(rule["annotations"]) == {"summary", "description"}
        left = set.intersection(*(families[name].labels() for name in named)) | OF_PROMETHEUS
        if " by " in rule["expr"]:
            left = set(re.findall(r"by \((\w+)\)", rule["expr"]))
        for text in rule["annotations"].values():
            assert text.count("{{") == text.count("}}")
            used = set(re.findall(r"\$labels\.(\w+)", text))
            assert used <= left, f"{rule['alert']} has no label {used - left}"


def test_the_alerts_tell_of_late_missing_failed_unproven_and_silent_backups(families: dict[str, Family]) -> None:
    named = set().union(*(metrics_in(rule["expr"], families) for rule in rules()))
    assert named >= {
        "backupdb_last_success_timestamp_seconds",
        "backupdb_max_age_seconds",
        "backupdb_database_status",
        "backupdb_instance_status",
        "backupdb_job_status",
        "backupdb_job_next_run_timestamp_seconds",
        "backupdb_metrics_timestamp_seconds",
        "backupdb_last_drill_success",
        "backupdb_last_proven_timestamp_seconds",
        "backupdb_repository_free_bytes",
        "backupdb_copy_last_success_timestamp_seconds",
        "backupdb_copy_max_age_seconds",
        "backupdb_copy_status",
        "backupdb_copy_failed",
        "backupdb_copy_tampered_backups",
        "backupdb_database_off_site",
    }


def test_every_panel_of_the_dashboard_is_whole_and_names_what_there_is(families: dict[str, Family]) -> None:
    places = set()
    for panel in panels():
        assert panel["targets"], panel["title"]
        for target in panel["targets"]:
            named = metrics_in(target["expr"], families)
            known = set.intersection(*(families[name].labels() for name in named)) | OF_PROMETHEUS
            assert set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])) <= known, panel["title"]
            assert set(re.findall(r"\$(\w+)", target["expr"])) <= VARIABLES, panel["title"]
        place = panel["gridPos"]
        cells = {
            (column, row)
            for column in range(place["x"], place["x"] + place["w"])
            for row in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & places, f"{panel['title']} lies over another panel"
        assert place["x"] + place["w"] <= 24, panel["title"]
        places |= cells
    assert len({panel["id"] for panel in panels()}) == len(panels())


def test_the_variables_of_the_dashboard_are_labels(families: dict[str, Family]) -> None:
    variables = dashboard()["templating"]["list"]
    assert {variable["name"] for variable in variables} == VARIABLES
    for variable in variables:
        if variable["type"] == "query":
            (name,) = metrics_in(variable["query"]["query"], families)
            assert variable["name"] in families[name].labels()


def test_the_page_names_every_metric_and_every_alert() -> None:
    text = (ROOT / "docs" / "monitoring.md").read_text(encoding="utf-8")
    wanted = [*metrics.HELP, *(rule["alert"] for rule in rules())]
    assert [name for name in wanted if f"`{name}`" not in text] == []
    named = set(re.findall(r"`(backupdb_[a-z_]+_(?:seconds|bytes|status|success|backups|problems|gone))`", text))
    assert named <= set(metrics.HELP)

# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Metrics: well formed whatever databases are called, replaced whole, and never in the way of a backup."""

from __future__ import annotations

import os
import stat
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from backupdb.jobs.definition import Job
from backupdb.monitoring import freshness, metrics
from backupdb.monitoring.freshness import InstanceState, collect
from backupdb.monitoring.next_run import NextRun
from backupdb.monitoring.places import Place
from backupdb.system.text import utc_now
from support.exposition import lint, read_metrics
from support.monitored import NASTY, job_of, jobs_with_everything, keep, note_run
from support.stored import rewrite_manifest

OF_DATABASE = {"host", "backup_instance", "database", "kind"}


@pytest.fixture
def jobs(root: Path) -> list[Job]:
    return jobs_with_everything(root)


def test_every_metric_is_there_and_keeps_to_the_rules(jobs: list[Job]) -> None:
    now = utc_now()
    state = collect(jobs, max_age=60.0, now=now)
    coming = NextRun(now + timedelta(hours=3), "soon")
    state = replace(state, jobs=tuple(replace(job, next_run=coming) for job in state.jobs))
    families = read_metrics(metrics.render(state))
    assert set(families) == set(metrics.HELP)
    assert lint(families) == []
    assert families["backupdb_last_success_timestamp_seconds"].labels() == OF_DATABASE
    assert families["backupdb_databases_expected"].labels() == {"host", "backup_instance"}
    assert families["backupdb_job_status"].labels() == {"backup_job"}
    assert families["backupdb_repository_free_bytes"].labels() == {"repository"}
    (value, other) = families["backupdb_job_next_run_timestamp_seconds"].samples.values()
    assert value == other == pytest.approx((now + timedelta(hours=3)).timestamp(), abs=0.01)


def test_values_are_those_of_the_state(jobs: list[Job]) -> None:
    families = read_metrics(metrics.of_host(jobs))

    def of(name: str) -> dict[str, float]:
        return {
            dict(labels).get("database", ""): value for labels, value in families[f"backupdb_{name}"].samples.items()
        }

    shown = NASTY.replace("\udcff", "\\xff")
    assert of("database_status") == {"shop": 0, shown: 1, "new one": 4, "@accounts": 4}
    assert of("max_age_seconds")["shop"] == 26 * 3600
    assert abs(of("last_success_age_seconds")["shop"] - 3600) < 60
    assert abs(of("last_success_timestamp_seconds")["shop"] - (time.time() - 3600)) < 60
    assert set(of("last_complete_timestamp_seconds")) == {"shop"}
    assert (of("last_success_plain_bytes")["shop"], of("last_success_duration_seconds")["shop"]) == (8, 1.25)
    assert of("last_drill_success") == {"shop": 1}
    assert of("backups") == {"shop": 2, shown: 1, "new one": 0, "@accounts": 0, "lost": 1}
    assert (of("databases_expected")[""], of("databases_backed_up")[""], of("databases_gone")[""]) == (3, 2, 1)
    assert of("instance_status")[""] == 2
    by_job = {dict(labels)["backup_job"]: value for labels, value in families["backupdb_job_status"].samples.items()}
    assert by_job == {"nightly": 2}
    (success,) = families["backupdb_job_last_success_timestamp_seconds"].samples.values()
    assert abs(success - (time.time() - 20 * 3600)) < 60


def test_names_that_look_the_same_when_written_do_not_spoil_the_file(root: Path) -> None:
    names = ["caf\udce9", "caf\\xe9", 'a"b\\', "a\nb", "a\\nb"]
    for name in names:
        keep(root, name, hours=1)
    note_run(root, dict.fromkeys(names, "complete"), accounts=None)
    samples = read_metrics(metrics.of_host([], repository=str(root)))["backupdb_backups"].samples
    assert {dict(labels)["database"] for labels in samples} == {"caf\\xe9", 'a"b\\', "a\nb", "a\\nb"}


def test_the_file_is_replaced_whole_and_readable_for_the_exporter(root: Path, tmp_path: Path) -> None:
    folder = tmp_path / "textfile"
    folder.mkdir()
    before = os.umask(0o077)
    try:
        for _time in range(2):
            assert metrics.write_for([job_of(root, metrics_dir=str(folder)), job_of(root, "other")]) == []
    finally:
        os.umask(before)
    assert [path.name for path in folder.iterdir()] == ["backupdb.prom"]
    assert stat.S_IMODE((folder / "backupdb.prom").stat().st_mode) == 0o644
    assert "backupdb_metrics_timestamp_seconds" in read_metrics((folder / "backupdb.prom").read_text())


def test_jobs_of_one_folder_share_one_file(root: Path, tmp_path: Path) -> None:
    keep(root, "shop", hours=1)
    keep(root, "wiki", hours=1, instance="wiki-db")
    (tmp_path / "textfile").mkdir()
    jobs = [
        job_of(root, "a", metrics_dir=str(tmp_path / "textfile")),
        job_of(root, "b", metrics_dir=str(tmp_path / "textfile"), backup={"instance": "wiki-db"}),
    ]
    assert metrics.write_for(jobs) == []
    samples = read_metrics((tmp_path / "textfile" / "backupdb.prom").read_text())["backupdb_backups"].samples
    assert {dict(labels)["backup_instance"] for labels in samples} == {"shop-db", "wiki-db"}


def test_what_cannot_be_written_is_a_warning(root: Path, tmp_path: Path) -> None:
    (warning,) = metrics.write_for([job_of(root, metrics_dir=str(tmp_path / "nowhere"))])
    assert "metrics were not written" in warning
    assert metrics.write_for([job_of(root)]) == []


def test_a_repository_that_is_not_there_has_no_size_and_still_tells_of_its_databases(tmp_path: Path) -> None:
    families = read_metrics(metrics.of_host([job_of(tmp_path / "unmounted")]))
    assert "backupdb_repository_free_bytes" not in families
    assert list(families["backupdb_database_status"].samples.values()) == [4]
    assert list(families["backupdb_problems"].samples.values()) == [1]


def test_one_odd_manifest_is_counted_and_leaves_all_others_in_the_file(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(root, "shop", hours=1)
    odd = keep(root, "odd", hours=1)
    rewrite_manifest(odd, database="shop", duration_seconds=True)  # that would stand for the true one
    before = metrics.of_host([], repository=str(root))
    families = read_metrics(before)
    assert lint(families) == []
    databases = {dict(labels)["database"] for labels in families["backupdb_database_status"].samples}
    assert databases == {"shop", "odd"}
    assert list(families["backupdb_problems"].samples.values()) == [1]
    keep(root, "wiki", hours=1, instance="other")
    looked = freshness._instance

    def fail(place: Place, *rest: Any) -> InstanceState:
        if place.instance == "other":
            raise OverflowError("nobody thought of it")
        return looked(place, *rest)

    monkeypatch.setattr(freshness, "_instance", fail)
    families = read_metrics(metrics.of_host([], repository=str(root)))
    assert len(families["backupdb_database_status"].samples) == 2
    assert list(families["backupdb_problems"].samples.values()) == [2]

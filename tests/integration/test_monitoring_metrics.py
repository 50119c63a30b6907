# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Metrics as Prometheus' own Python library reads them, and as a job writes them that could not even log in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from backupdb.credentials.secrets import Secrets
from backupdb.jobs.definition import Job
from backupdb.jobs.run import run_job
from backupdb.monitoring import metrics
from prometheus_client.parser import text_string_to_metric_families
from support.exposition import read_metrics
from support.monitored import job_of, jobs_with_everything, keep, note_run


def run_on_a_server_that_is_down(job: Job) -> dict[str, Any]:
    told: list[str] = []
    return run_job(
        job,
        Secrets(),
        write_metrics=lambda: metrics.write_for([job]),
        report=lambda message, **_fields: told.append(message),
    )


def down(repository: Path, folder: Path) -> Job:
    return job_of(repository, metrics_dir=str(folder), backup={"login_port": 1, "connect_timeout": 2})


def test_the_library_of_prometheus_reads_the_same(repository: Path) -> None:
    text = metrics.of_host(jobs_with_everything(repository))
    theirs = {
        family.name: {tuple(sample.labels.items()): sample.value for sample in family.samples}
        for family in text_string_to_metric_families(text)
    }
    assert theirs == {name: family.samples for name, family in read_metrics(text).items()}


def test_a_job_that_could_not_log_in_writes_its_metrics_too(repository: Path, tmp_path: Path) -> None:
    keep(repository, "shop", hours=30)
    note_run(repository, {"shop": "complete"}, hours=30, accounts=None)
    (tmp_path / "textfile").mkdir()
    result = run_on_a_server_that_is_down(down(repository, tmp_path / "textfile"))
    assert (result["status"], result["warnings"]) == ("failed", [])
    families = read_metrics((tmp_path / "textfile" / "backupdb.prom").read_text(encoding="utf-8"))

    def only(name: str) -> float:
        (value,) = families[name].samples.values()
        return value

    assert (only("backupdb_job_status"), only("backupdb_instance_status")) == (2, 2)
    assert only("backupdb_last_success_age_seconds") > 29 * 3600
    assert sorted(families["backupdb_database_status"].samples.values()) == [3, 4]  # the shop is late, no accounts


def test_metrics_that_cannot_be_written_are_a_warning_and_change_nothing_else(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "textfile").write_text("in the way")
    with_metrics = run_on_a_server_that_is_down(down(repository, tmp_path / "textfile"))
    without = run_on_a_server_that_is_down(job_of(repository, backup={"login_port": 1, "connect_timeout": 2}))
    assert with_metrics["status"] == without["status"]
    assert with_metrics["message"] == without["message"]
    assert ["metrics were not written" in line for line in with_metrics["warnings"]] == [True]

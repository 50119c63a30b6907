# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Metrics as Prometheus' own Python library reads them."""

from __future__ import annotations

from pathlib import Path

from backupdb.monitoring import metrics
from prometheus_client.parser import text_string_to_metric_families
from support.exposition import read_metrics
from support.monitored import jobs_with_everything


def test_the_library_of_prometheus_reads_the_same(tmp_path: Path) -> None:
    (tmp_path / "repository").mkdir(mode=0o700)
    text = metrics.of_host(jobs_with_everything(tmp_path / "repository"))
    theirs = {
        family.name: {tuple(sample.labels.items()): sample.value for sample in family.samples}
        for family in text_string_to_metric_families(text)
    }
    assert theirs == {name: family.samples for name, family in read_metrics(text).items()}

# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A job as a timer starts it: back up, prune, remember, write the metrics."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from backupdb.credentials.secrets import Secrets
from backupdb.jobs.definition import Job, job_from
from backupdb.jobs.record import record_path
from backupdb.jobs.run import run_job
from backupdb.monitoring import metrics
from support.exposition import lint, read_metrics
from support.jobs import login_of
from support.library import HOST, IDENTITY

from chaos import checks
from chaos.child import Ended
from chaos.stages.stage import Stage
from chaos.world import DATABASE

_NAME = "nightly"
_KEPT = 2


class JobRun(Stage):
    """One run of a job."""

    name = "job"

    def prepare(self) -> None:
        self.world.new_case()
        for folder in (self._state, self._metrics):
            folder.mkdir(mode=0o700)

    @property
    def _state(self) -> Path:
        return self.world.case / "state"

    @property
    def _metrics(self) -> Path:
        return self.world.case / "metrics"

    def _job(self) -> Job:
        server = self.world.server
        backup = {
            "instance": "test",
            "engine": server.engine,
            "login_host": server.host,
            "login_port": server.port,
            "repository": str(self.world.repository),
            "host": HOST,
            "recipients": [IDENTITY.recipient],
            "databases": [DATABASE],
        }
        values = {
            "schema": 1,
            "name": _NAME,
            "backups": [backup],
            "retention": {"keep_last": _KEPT},
            "state_dir": str(self._state),
            "metrics_dir": str(self._metrics),
        }
        return job_from(values, _NAME)

    def work(self) -> Mapping[str, Any]:
        job = self._job()
        secrets = Secrets(logins={"test": login_of(self.world.server)})
        return run_job(job, secrets, write_metrics=partial(metrics.write_for, [job]), report=_silent)

    def named(self) -> list[str]:
        return [*super().named(), f"job {_NAME}"]

    def judge(self, ended: Ended, fault: str) -> Iterator[str]:
        world = self.world
        yield from checks.earlier_are_unchanged(world.repository, world.before, gone=self._prunable())
        yield from self._files_are_whole()
        if ended.result is None:
            return
        told: list[str] = []
        for backup in ended.result["backups"]:
            if backup["databases"]:
                yield from checks.result_is_true(backup)
            entries = [*backup["databases"], *([backup["accounts"]] if backup["accounts"] else [])]
            told += [str(entry["path"]) for entry in entries]
        yield from checks.only_what_is_told_is_new(world.repository, world.before, told)
        yield from self._is_remembered(ended.result)

    def _prunable(self) -> list[str]:
        """Earlier backups that may be gone: those of subjects that have their number of newer ones."""
        root = self.world.repository
        there = {str(folder.relative_to(root)) for folder in checks.backups_in(root)}
        gone = []
        for path in set(self.world.before) - there:
            beside = [name for name in there if Path(name).parent == Path(path).parent and name > path]
            if len(beside) >= _KEPT:
                gone.append(path)
        return gone

    def _files_are_whole(self) -> Iterator[str]:
        record = record_path(str(self._state), _NAME)
        if record.exists():
            try:
                json.loads(record.read_bytes())
            except ValueError as error:
                yield f"{record} is not whole: {error}"
        for path in self._metrics.glob("*.prom"):
            try:
                wrong = lint(read_metrics(path.read_text(encoding="utf-8")))
            except AssertionError as error:
                wrong = [str(error)]
            if wrong:
                yield f"{path} is not whole: {wrong}"

    def _is_remembered(self, result: Mapping[str, Any]) -> Iterator[str]:
        record = record_path(str(self._state), _NAME)
        remembered = json.loads(record.read_bytes())["run_id"] if record.exists() else None
        excused = any("could not be remembered" in warning for warning in result["warnings"])
        if remembered != result["run_id"] and not excused:
            yield "the run is not remembered, and does not say so"

    def judge_again(self, ended: Ended) -> Iterator[str]:
        if ended.status != "ok":
            yield f"the next run is {ended.status}: {ended.message()}"
        for folder in self.world.repository.glob("*/*/*"):
            left = [path for path in checks.backups_in(self.world.repository) if path.parent == folder]
            if left and len(left) != _KEPT:
                yield f"the next run leaves {len(left)} backups in {folder}"
        yield from self._files_are_whole()


def _silent(_message: str, **_fields: Any) -> None:
    """The journal of the machine is none of our business."""

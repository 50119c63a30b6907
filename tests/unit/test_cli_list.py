# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `backupdb list`, the table of drills and the journal show to people, word for word."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from backupdb.cli import main as command_line
from backupdb.credentials.secrets import Secrets
from backupdb.drill import told
from backupdb.drill.one_backup import failed
from backupdb.errors import BackupDbError
from backupdb.jobs import finish as finishing
from backupdb.jobs.definition import job_from
from backupdb.repository import listing
from backupdb.repository.drill_records import write_drill
from backupdb.repository.pins import write_pin
from backupdb.system.text import counted, human_age
from support.stored import RUN, TIME, store

NOW = TIME + timedelta(hours=50)
HOSTILE = 'x"; --\x1b[31m\nok'

LIST = """\
INSTANCE     DATABASE            STARTED (UTC)        AGE  STATE     SIZE  PROVEN         BACKUP
db1/shop-db  x"; --\\x1b[31m\\nok  2026-11-22 07:06:06  1 s  complete   0 B  never          {hostile}
db1/shop-db  @accounts           2026-11-20 06:06:07  2 d  complete   0 B  -              {accounts}
db1/shop-db  bad                 2026-11-20 05:36:07  2 d  complete   0 B  NO: different  {bad}
db1/shop-db  shop                2026-11-20 05:06:07  2 d  partial    9 B  2026-11-21     {shop}
{root}: 4 backups, 9 B, the newest 1.0 s old
"""
DRILLS = """\
INSTANCE     DATABASE  BACKUP                     VERDICT  CONTENT                       RESTORED IN
db1/shop-db  crm       20261120T050607Z-01234567  equal    not compared with the source   1 min 15 s
db1/shop-db  shop      20261120T050607Z-01234567  failed   -                                       -
db1/shop-db/shop 20261120T050607Z-01234567: the archive ends too early
"""


def proof(folder: Path, verdict: str) -> None:
    write_drill(folder, {"schema": 1, "backup_id": folder.name, "verdict": verdict, "finished": "2026-11-21T01:02:03Z"})


def test_backups_are_told_in_a_table(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shop = store(root, time=TIME.replace(microsecond=123456), status="partial", stored_bytes=9).folder
    proof(shop, "equal")
    bad = store(root, "bad", time=TIME + timedelta(minutes=30)).folder
    proof(bad, "different")
    accounts = store(root, None, time=TIME + timedelta(hours=1)).folder
    hostile = store(root, HOSTILE, time=NOW - timedelta(seconds=1)).folder
    monkeypatch.setattr(listing, "utc_now", lambda: NOW)
    assert command_line.main(["list", str(root)]) == 0
    shown = capsys.readouterr().out
    assert shown == LIST.format(root=root, shop=shop, bad=bad, accounts=accounts, hostile=hostile)
    write_pin(shop, "before the migration", NOW)
    assert command_line.main(["list", str(root), "--database", "shop"]) == 0
    titles, row, sentence = capsys.readouterr().out.splitlines()
    assert (titles.split()[-2:], row.split()[-2:]) == (["PIN", "BACKUP"], ["pinned", str(shop)])
    assert sentence == f"{root}: 1 backup, 9 B, the newest 2 d 2 h old"


def test_without_backups_there_is_no_table(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line.main(["list", str(root)]) == 0
    assert capsys.readouterr().out == f"{root}: 0 backups, 0 B\n"


def test_drills_are_told_in_a_table_and_what_was_wrong_below_it(root: Path) -> None:
    error = BackupDbError("the archive ends too early")
    good, bad = (failed(store(root, name), error) for name in ("crm", "shop"))
    good.update(verdict="equal", error=None, error_kind=None, differences=[])
    good["content"], good["seconds"]["restore"] = "not compared with the source", 75.4
    assert told.lines([good, bad]) == DRILLS.splitlines()
    assert told.lines([]) == []


def test_an_age_has_one_unit_and_one_is_no_plural() -> None:
    ages = (-5, 0.4, 59.9, 60, 3599, 3600, 47.9 * 3600, 48 * 3600, 86400 * 400)
    assert [human_age(age) for age in ages] == ["0 s", "0 s", "59 s", "1 min", "59 min", "1 h", "47 h", "2 d", "400 d"]
    assert [counted(count, "backup") for count in (0, 1, 2)] == ["0 backups", "1 backup", "2 backups"]


@pytest.mark.parametrize(
    ("status", "began", "line"),
    [
        ("ok", True, ("notice", "job daily succeeded after 5 min 0 s")),
        ("partial", True, ("warning", "job daily is incomplete after 5 min 0 s")),
        ("failed", True, ("error", "job daily failed after 5 min 0 s")),
        ("failed", False, ("error", "job daily could not begin: there is no secret")),
    ],
)
def test_the_end_of_a_run_has_its_own_line_in_the_journal(
    tmp_path: Path, status: str, began: bool, line: tuple[str, str]
) -> None:
    entry = {"instance": "a", "engine": "postgresql", "login_host": "x", "host": "h", "encryption": "none"}
    backups = [{**entry, "repository": "/x"}]
    job = job_from({"schema": 1, "name": "daily", "backups": backups, "state_dir": str(tmp_path)}, "job")
    result = {
        "job": "daily",
        "run_id": RUN,
        "started": "2026-11-20T05:00:00Z",
        "finished": "2026-11-20T05:05:00Z",
        "status": status,
        "message": "job daily could not begin: there is no secret",
        "backups": [{"message": "a: all is well"}] if began else [],
        "prune": None,
        "drill": None,
        "warnings": [],
        "notifications": [],
    }
    told_of: list[tuple[str, str]] = []

    def report(message: str, *, priority: str = "info", **fields: Any) -> None:
        assert (fields["run_id"], fields["job"]) == (RUN, "daily")
        told_of.append((priority, message))

    finishing.finish(job, Secrets(), result, write_metrics=list, report=report)
    assert told_of == [line]

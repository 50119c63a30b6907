# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every value of every file of a repository, replaced by something that nobody expects: the other backups are seen."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from backupdb.cli.main import main
from backupdb.drill.request import DrillRequest, choose
from backupdb.monitoring import metrics
from backupdb.outcome import Outcome, diff_of
from backupdb.repository.catalogue import StoredBackup, read_backup
from backupdb.repository.drill_records import write_drill
from backupdb.repository.place import Place
from backupdb.repository.problems import Problems
from support.measuring import not_measuring
from support.samples import SAMPLES
from support.stored import DUMP, TIME, rewrite_manifest, store

DEEP: Any = []
for _level in range(400):
    DEEP = [DEEP]
HOSTILE = (
    "\ud800",
    "\udcff",
    "a\0\x1b[2J\nfatal: b",
    "",
    "x" * 5000,
    "../../..",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    10**400,
    2**63,
    -1,
    0.5,
    math.inf,
    math.nan,
    True,
    None,
    [],
    [None],
    {},
    {"": {}},
    DEEP,
)


EACH = 11  # places that stand side by side get different values, two each


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from places(item, (*path, key))


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    changed = copy.deepcopy(value)
    inner = changed
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = new
    return changed


def variants(value: Any) -> Iterator[bytes]:
    for number, path in enumerate(places(value)):
        for hostile in HOSTILE[number % EACH :: EACH]:
            yield json.dumps(replaced(value, path, hostile)).encode("ascii")
        if path and isinstance(path[-1], str):
            changed = replaced(value, path, None)
            inner = changed
            for key in path[:-1]:
                inner = inner[key]
            del inner[path[-1]]
            yield json.dumps(changed).encode("ascii")
    yield b"[" * 100_000
    yield b"\xff\xfe"
    yield b"\xed\xa0\x80"
    yield b""


EVIL = "x\x1b[2J\r\nfatal: [db1]: FAILED! \u202e\u009b31m\u2028"


def test_no_name_gets_to_a_terminal_as_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for day in range(3):
        store(tmp_path, EVIL, content=DUMP, time=TIME + timedelta(days=day))
    damaged = store(tmp_path, f"{EVIL} too", content=DUMP)
    (damaged.folder / "manifest.json").write_text("{")
    root = str(tmp_path)
    for command in (
        ["list", root],
        ["show", str(next(tmp_path.glob("*/*/*/*/manifest.json")).parent)],
        ["verify", root],
        ["status", "--repository", root],
        ["prune", "--repository", root, "--keep-last", "1", "--check"],
        ["prune", "--repository", root, "--keep-last", "1"],
    ):
        main(command)
        said = capsys.readouterr()
        lines = [*said.out.split("\n"), *said.err.split("\n")]
        assert any(lines), command
        assert all(one.isprintable() for line in lines for one in line), command
        assert not [line for line in lines if line.lstrip().startswith("fatal")], command
    diff = diff_of([f"database {EVIL}"], [])["before"]
    assert diff.count("\n") == 1 and "\x1b" not in diff
    outcome = Outcome("failed", False, f"no {EVIL}", warnings=[EVIL], facts={"lines": [EVIL], "name": EVIL}).to_dict()
    assert outcome["name"] == EVIL
    for sentence in (outcome["message"], *outcome["warnings"], *outcome["lines"]):
        assert sentence.isprintable()


@pytest.fixture
def backup(tmp_path: Path) -> StoredBackup:
    """A backup whose manifest has every kind of value that a real one has, beside a good one of another database."""
    store(tmp_path, "good", content=DUMP)
    sample = sorted(SAMPLES.glob("version_*/repository/db1/pg15/shop/*/manifest.json"))[0]
    real = json.loads(sample.read_text(encoding="ascii"))
    odd = store(tmp_path, "odd", content=DUMP, time=TIME + timedelta(days=1))
    rewrite_manifest(odd.folder, **{key: value for key, value in real.items() if key not in odd.manifest})
    return read_backup(odd.folder)


def look(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in (
        ["list", str(root)],
        ["list", str(root), "--json"],
        ["status", "--repository", str(root)],
        ["status", "--repository", str(root), "--json"],
        ["prune", "--repository", str(root), "--keep-daily", "5", "--keep-within", "9d", "--check", "--json"],
    ):
        main(command)
        assert "good" in capsys.readouterr().out, command
    for folder in root.glob("*/*/odd/2*"):
        main(["show", str(folder)])
        assert "internal fault" not in capsys.readouterr().err
    text = metrics.of_host([], repository=str(root))
    for line in text.splitlines():
        assert line.startswith("#") or math.isfinite(float(line.rpartition(" ")[2])), line
    assert 'database="good"' in text
    chosen = choose(DrillRequest(str(root), select="oldest_unproven", count=9), Place(root, str(root)), Problems())
    assert "good" in [one.database for one in chosen]


def make_drill(backup: StoredBackup) -> Path:
    record = {"schema": 1, "backup_id": backup.folder.name, "verdict": "equal", "finished": "2026-11-22T00:00:00Z"}
    return write_drill(backup.folder, {**record, "differences": [], "warnings": [], "seconds": 1.5, "host": "db1"})


def make_pin(backup: StoredBackup) -> Path:
    path = backup.folder / "pin.json"
    pin = {"schema": 1, "backup_id": backup.folder.name, "reason": "audit", "since": "2026-11-22T00:00:00Z"}
    path.write_text(json.dumps(pin), encoding="ascii")
    return path


def make_last_run(backup: StoredBackup) -> Path:
    outcome = {"name": "odd", "status": "complete", "plain_bytes": 1, "stored_bytes": 1, "duration": 0.5}
    record = {
        "schema": 1,
        **{"host": "db1", "instance": "shop-db", "run_id": "a" * 32, "status": "ok", "engine": "mariadb"},
        **{"server_version": "10.11", "gone": ["old"], "new": [], "duration": 1.5, "plain_bytes": 1, "stored_bytes": 1},
        **{"started": "2026-11-20T05:06:07Z", "finished": "2026-11-20T05:06:08Z", "databases": [outcome]},
        **{"accounts": {**outcome, "name": "@accounts"}, "present": ["odd", "good", "old"]},
    }
    path = backup.folder.parent.parent / ".last-run.json"
    path.write_text(json.dumps(record), encoding="ascii")
    return path


def make_manifest(backup: StoredBackup) -> Path:
    return backup.folder / "manifest.json"


@pytest.mark.parametrize("make", [make_drill, make_pin, make_last_run, make_manifest])
def test_no_value_of_a_file_stops_a_command_or_hides_the_other_backups(
    tmp_path: Path, backup: StoredBackup, capsys: pytest.CaptureFixture[str], make: Callable[[StoredBackup], Path]
) -> None:
    path = make(backup)
    look(tmp_path, capsys)
    failures = {}
    with not_measuring():  # what is looked at is always the same
        for content in dict.fromkeys(variants(json.loads(path.read_bytes()))):
            path.write_bytes(content)
            try:
                look(tmp_path, capsys)
            except Exception as error:  # noqa: BLE001  all of them, to be named at the end
                failures.setdefault(repr(error)[:300], content[:2000])
    assert failures == {}

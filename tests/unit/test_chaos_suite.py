# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The chaos suite can fail: what is wrong on purpose is a violation. Its cases need servers; these tests need none."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from chaos import case, checks, flips, known, plan, shim, table
from chaos.child import Ended
from chaos.verdict import NOT_REACHED, Verdict, read_line
from support import needs, stored
from support.library import LIBRARY
from support.tree import folder_state

TESTS = Path(__file__).parents[1]
# A careless program under the shim: it ignores how much was written, and gives the file its final name all the same.
CARELESS = """
import os, sys
from pathlib import Path
from chaos.child import Forge
from chaos.shim import Shim

home = Path(sys.argv[1])
shim = Shim()
shim.watch(home / "case", 1)
forge = Forge(shim, home)

def careless():
    descriptor = os.open(home / "case" / "new", os.O_WRONLY | os.O_CREAT, 0o600)
    os.write(descriptor, b"0123456789")
    os.rename(home / "case" / "new", home / "case" / "final")
    return {"status": "ok", "message": "written"}

def leaving():
    if os.fork() == 0:
        os.execvp("sleep", ["sleep", "60"])
    return {"status": "ok", "message": "nothing goes on"}

work = {"careless": careless, "leaving": leaving}[sys.argv[2]]
fault = ("write", 1, sys.argv[3]) if len(sys.argv) > 3 else None
ended = forge.start(work, folder=home / "case", temporary=home, fault=fault).ended(set())
final = home / "case" / "final"
print(ended.status, ended.hits, len(final.read_bytes()) if final.exists() else None, ended.left_open, ended.orphans)
"""


def run_careless(folder: Path, *arguments: str) -> str:
    """Run it in a process of its own, because only that can have the shim preloaded."""
    needs.program("cc", "gcc")
    (folder / "case").mkdir()
    environment = {
        "LD_PRELOAD": str(shim.build(folder)),
        "PYTHONPATH": f"{TESTS}:{LIBRARY}",
        "PATH": os.environ["PATH"],
    }
    command = [sys.executable, "-c", CARELESS, str(folder), *arguments]
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout


@pytest.mark.parametrize(
    ("deed", "told"),
    [("SHORT", "ok 1 5"), ("EINTR", "ok 1 10"), ("SIGKILL", "killed 0 None"), ("EIO", "crashed 1 None")],
)
def test_careless_work_is_caught_by_a_short_write(tmp_path: Path, deed: str, told: str) -> None:
    said = run_careless(tmp_path, "careless", deed)
    assert said.startswith(told)
    if deed == "SHORT":
        assert "case/final" in said  # it is still open


def test_a_process_that_is_left_behind_is_a_violation(tmp_path: Path) -> None:
    assert "sleep 60" in run_careless(tmp_path, "leaving")
    assert [*checks.ended_properly(Ended(result={"status": "ok"}, orphans=("sleep 60",)), secrets=(), named=())]


def test_a_half_written_backup_under_a_final_name_is_a_violation(tmp_path: Path) -> None:
    whole = stored.store(tmp_path, content=stored.DUMP, envelope=stored.SEALED)
    assert [*checks.published_are_whole(tmp_path, {})] == []
    path = next(whole.folder.glob("data*"))
    path.write_bytes(path.read_bytes()[:-1])
    (found,) = checks.published_are_whole(tmp_path, {})
    assert "has a final name and is damaged" in found
    (whole.folder / "manifest.json").unlink()
    assert [*checks.published_are_whole(tmp_path, {})] != []


def test_a_changed_or_missing_earlier_backup_is_a_violation(tmp_path: Path) -> None:
    first = stored.store(tmp_path, content=stored.DUMP)
    before = folder_state(tmp_path)
    assert [*checks.earlier_are_unchanged(tmp_path, before)] == []
    path = next(first.folder.glob("data*"))
    stored.flip_bit(path, 5)
    (found,) = checks.earlier_are_unchanged(tmp_path, before)
    assert "changed" in found
    path.unlink()
    (found,) = checks.earlier_are_unchanged(tmp_path, before)
    assert "gone" in found
    gone = [str(first.folder.relative_to(tmp_path))]
    assert [*checks.earlier_are_unchanged(tmp_path, before, gone=gone)] == []


def test_a_word_of_the_database_in_any_file_is_a_violation(tmp_path: Path) -> None:
    stored.store(tmp_path, content=b"-- canary\n", envelope=stored.SEALED)
    assert [*checks.nothing_is_plain(tmp_path, ["canary"])] == []
    (tmp_path / "left.sql").write_text("INSERT 'canary'")
    assert len([*checks.nothing_is_plain(tmp_path, ["canary"])]) == 1
    (tmp_path / "data.age").write_bytes(b"compressed only")
    assert len([*checks.nothing_is_plain(tmp_path, ["canary"])]) == 2


def test_what_is_unfinished_is_a_violation(tmp_path: Path) -> None:
    assert [*checks.nothing_unfinished(tmp_path)] == []
    (tmp_path / ".partial-1").mkdir()
    (tmp_path / ".1234.partial").touch()
    assert len([*checks.nothing_unfinished(tmp_path)]) == 2


def test_a_result_that_is_not_true_is_a_violation(tmp_path: Path) -> None:
    path = str(stored.store(tmp_path, content=stored.DUMP, envelope=stored.SEALED).folder)
    entry = {"name": "shop", "status": "complete", "path": path, "error": None}

    def judged(total: str, **changes: object) -> list[str]:
        result = {"status": total, "message": "", "databases": [{**entry, **changes}], "accounts": None}
        return [*checks.result_is_true(result)]

    assert judged("ok") == []
    assert judged("failed") != []
    assert judged("ok", status="failed", error="the disk is full") != []
    assert judged("failed", status="failed") != []
    assert judged("ok", path=str(tmp_path / "nowhere")) != []
    assert [*checks.only_what_is_told_is_new(tmp_path, {}, [path])] == []
    assert [*checks.only_what_is_told_is_new(tmp_path, {}, [])] != []


def test_a_message_that_names_nothing_or_shows_our_inside_is_a_violation() -> None:
    def judged(message: str, **ended: object) -> list[str]:
        return [*checks.ended_properly(Ended(error=message, **ended), secrets=["s3cret"], named=["/srv/backups"])]  # type: ignore[arg-type]

    assert judged("repository /srv/backups: the disk is full") == []
    assert judged("the disk is full") != []
    assert judged("/srv/backups: [Errno 5] Input/output error") != []
    assert judged("/srv/backups: the login s3cret was refused") != []
    assert judged("/srv/backups", stderr="Traceback (most recent call last)") != []
    assert judged("/srv/backups", hung=True) != []
    assert judged("/srv/backups", left_open=("/srv/backups/.lock",)) != []
    assert [*checks.ended_properly(Ended(crash="OSError"), secrets=(), named=())] != []


def test_a_case_is_what_its_name_says() -> None:
    one = case.Case("backup", "postgresql", "write", 17, "EIO")
    assert case.parse(str(one)) == one
    assert shim.meaning("ENOSPC+")[2] is True
    for deeds in plan.DEEDS.values():
        for deed in deeds:
            assert shim.meaning(deed)[0] > 0
    assert set(plan.DEEDS) == set(shim.CALLS)


def test_the_same_cases_are_chosen_each_time_and_the_quick_ones_have_every_fault() -> None:
    counts = dict.fromkeys(shim.CALLS, 50)
    cases = [*plan.injected("backup", "mariadb", counts)]
    assert cases == [*plan.injected("backup", "mariadb", counts)]
    chosen = plan.quick(cases)
    assert len(cases) / 4 < len(chosen) < len(cases) / 2
    assert {one.fault for one in chosen} == set(shim.CALLS)


def test_what_is_left_out_has_a_reason() -> None:
    assert all(known.LEFT_OUT.values())
    assert not known.is_left_out(case.Case("backup", "postgresql", "write", 17, "EIO"))


def test_the_table_counts_outcomes_and_not_what_was_not_reached() -> None:
    verdicts = [
        Verdict("backup/postgresql/write/1/EIO", "failed", (), 1.0),
        Verdict("backup/mariadb/write/1/EIO", "failed", (), 1.0),
        Verdict("backup/mariadb/write/2/EIO", "ok", ("something",), 1.0),
        Verdict("backup/mariadb/write/99/EIO", NOT_REACHED, (), 1.0),
        Verdict("verify/mariadb/flip/1000/digest:shop:manifest.json", "found", (), 1.0, tried=1000),
    ]
    assert [read_line(verdict.line()).case for verdict in verdicts] == [verdict.case for verdict in verdicts]
    lines = table.lines(verdicts)
    assert "| backup | write | 1 failed | 1 failed, 1 ok |" in lines
    assert "| verify | flip | - | 1000 found |" in lines
    assert lines[-1] == "3 cases and 1000 damaged files, 1 violations."


def test_damage_is_spread_over_the_whole_file() -> None:
    flip = case.Case("verify", "mariadb", flips.FLIP, 80, "digest:shop:manifest.json")
    assert len({content for _what, content in flips._damaged(flip, b"0123456789")}) == 80
    cut = case.Case("verify", "mariadb", flips.CUT, 10, "digest:shop:manifest.json")
    assert sorted(len(content) for _what, content in flips._damaged(cut, b"0123456789")) == [*range(10), 11, 11]

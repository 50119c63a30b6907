# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The doctor: how it judges what systemd, fstab and stores say, and how it tells that."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import pytest
from backupdb.doctor import schedule
from backupdb.doctor.copies import rights_finding
from backupdb.doctor.finding import FAILED, OK, UNKNOWN, WARNING, Finding, failed, tried
from backupdb.doctor.repository import look_at_repository, look_at_space
from backupdb.doctor.run import result, values_of
from backupdb.errors import RepositoryError
from backupdb.jobs.in_service import words_of_service
from backupdb.repository.stores.interface import NO, YES, Right

UTILS = "ansible_collections.vya.backupdb.plugins.plugin_utils"
DOCTOR = importlib.import_module(f"{UTILS}.doctor_work").DOCTOR
summaries = importlib.import_module(f"{UTILS}.summaries")

ADVICE = "is the program backupdb on this host? The playbook schedule installs it"
TABLE = """\
nightly:
  LINK            STATE    WHAT
  shop-pg: login  ok       backupdb at /run/postgresql
  rights          failed   SELECT is missing
      -> GRANT SELECT ON x\\ny TO backupdb
  copy            warning  it is late
weekly:
  LINK   STATE    WHAT
  drill  unknown  nothing is drilled
"""
UNIT = """\
# made by a role
[Unit]
Description=Back up databases (job nightly)

[Service]
Type=oneshot
ExecStart=/usr/local/bin/backupdb run nightly --config-dir /srv/etc
SuccessExitStatus=75
StandardOutput=null
StandardError=journal
User=backupdb
LoadCredentialEncrypted=nightly:/etc/backupdb/credentials/nightly.cred
ReadWritePaths="-/srv/100%% safe" "-/var/lib/backupdb"
SystemCallFilter=@system-service
SystemCallFilter=@mount
CapabilityBoundingSet=

[Install]
WantedBy=timers.target
"""


def test_findings_are_told_in_a_table_for_each_job_with_the_next_step_below() -> None:
    nightly = [
        Finding("login", OK, "backupdb at /run/postgresql", subject="shop-pg"),
        Finding("rights", FAILED, "SELECT is missing", "GRANT SELECT ON x\ny TO backupdb"),
        Finding("copy", WARNING, "it is late"),
    ]
    weekly = [Finding("drill", UNKNOWN, "nothing is drilled")]
    told = result([*values_of("nightly", nightly), *values_of("weekly", weekly)])
    assert "\n".join(told["lines"]) + "\n" == TABLE.replace("LINK    STATE", "LINK   STATE").replace(
        "drill   ", "drill  "
    )
    assert (told["status"], told["changed"]) == ("failed", False)
    assert told["message"] == "2 jobs: 1 ok, 1 unknown, 1 warning, 1 failed. nightly: rights: SELECT is missing"
    assert result(values_of("nightly", [nightly[0], nightly[2]]))["status"] == "partial"
    assert result(values_of("weekly", weekly))["status"] == "ok"  # what cannot be seen is no fault


def test_an_error_at_one_link_keeps_what_was_found_before_it_and_advises() -> None:
    def look() -> Any:
        yield Finding("repository", OK, "it is there")
        raise RepositoryError("repository /x is full; free space; or move it")

    first, second = tried("space", look, "shop")
    assert first.state == OK
    assert second == Finding("space", FAILED, "repository /x is full", "free space; or move it", "shop")
    assert failed("login", RepositoryError("refused")).next_step is None
    nested = failed("databases", RepositoryError("none is selected ('a': why; 'b': why (not)); change databases"))
    assert (nested.what, nested.next_step) == ("none is selected ('a': why; 'b': why (not))", "change databases")


@pytest.mark.parametrize(
    ("told", "state"),
    [
        ({"ActiveState": "active", "UnitFileState": "enabled"}, OK),
        ({"ActiveState": "active", "UnitFileState": "disabled"}, WARNING),
        ({"ActiveState": "inactive", "UnitFileState": "enabled"}, FAILED),
    ],
)
def test_a_timer_must_be_active_now_and_after_the_next_boot(told: dict[str, str], state: str) -> None:
    found = schedule.timer_finding("backupdb-nightly.timer", told, "2026-11-25 02:15Z")
    assert found.state == state
    assert state == OK or "systemctl enable" in str(found.next_step)


@pytest.mark.parametrize(
    ("told", "state"),
    [
        ({}, FAILED),
        ({"LoadState": "not-found"}, FAILED),
        ({"LoadState": "loaded", "Result": "success", "ExecMainStatus": "0", "ActiveState": "inactive"}, OK),
        ({"LoadState": "loaded", "Result": "success", "ExecMainStatus": "75", "ActiveState": "inactive"}, OK),
        ({"LoadState": "loaded", "Result": "success", "ExecMainStatus": "0", "ActiveState": "activating"}, OK),
        ({"LoadState": "loaded", "Result": "exit-code", "ExecMainStatus": "2", "ActiveState": "failed"}, FAILED),
    ],
)
def test_a_service_must_be_there_and_its_last_start_must_have_ended_well(told: dict[str, str], state: str) -> None:
    assert schedule.service_finding("backupdb-nightly.service", told).state == state


def test_units_are_read_by_their_names() -> None:
    text = "Id=a.timer\nLoadState=loaded\n\n\nId=b.service\nLoadState=not-found\nResult=a=b\n"
    told = schedule.read_units(text)
    assert told["b.service"]["Result"] == "a=b"
    assert [schedule.is_there(told.get(name, {})) for name in ("a.timer", "b.service", "c")] == [True, False, False]


def test_a_job_is_examined_with_all_that_its_service_has_but_its_own_run() -> None:
    words = words_of_service(UNIT, ["doctor", "nightly"])
    assert words is not None
    begin, end = words[: words.index("--")], words[words.index("--") + 1 :]
    assert end == ["/usr/local/bin/backupdb", "doctor", "nightly"]
    assert [word for word in begin if word.startswith("--property=")] == [
        "--property=User=backupdb",
        "--property=LoadCredentialEncrypted=nightly:/etc/backupdb/credentials/nightly.cred",
        '--property=ReadWritePaths="-/srv/100% safe" "-/var/lib/backupdb"',
        "--property=SystemCallFilter=@system-service",
        "--property=SystemCallFilter=@mount",
        "--property=CapabilityBoundingSet=",
    ]
    assert words_of_service("[Unit]\nExecStart=/bin/x\n", []) is None


def test_a_repository_on_a_disk_that_is_not_mounted_is_told(root: Path, tmp_path: Path) -> None:
    fstab = tmp_path / "fstab"
    lines = ["# disks", "/dev/sda1 / ext4 defaults 0 1", f"/dev/sdb1 {tmp_path} xfs defaults 0 0", "odd", ""]
    fstab.write_text("\n".join(lines), encoding="ascii")
    (unmounted, there) = look_at_repository(str(root), fstab=str(fstab))
    assert (unmounted.state, unmounted.next_step, there.state) == (FAILED, f"mount {tmp_path}", OK)
    fstab.write_text(f"/somewhere {tmp_path} none bind 0 0\n/dev/sdb1 {tmp_path / 'other'} xfs defaults 0 0\n")
    assert [one.state for one in look_at_repository(str(root), fstab=str(fstab))] == [OK]
    assert [one.state for one in look_at_repository(str(root), fstab=str(tmp_path / "none"))] == [OK]
    root.chmod(0o705)
    assert [one.state for one in look_at_repository(str(root))] == [WARNING]


def test_space_is_judged_by_what_all_instances_will_bring(root: Path) -> None:
    def state(**needed: int | None) -> str:
        (found,) = look_at_space(str(root), needed)
        return found.state

    many = 1 << 60
    assert (state(shop=1, wiki=None), state(shop=1, wiki=many)) == (OK, FAILED)
    assert state() == UNKNOWN  # where no server told what will come
    assert list(look_at_space(str(root / "gone"), {"shop": 1})) == []


def test_a_key_of_a_copy_must_write_and_the_store_should_keep_versions() -> None:
    assert rights_finding("s3", [Right("list", YES), Right("write", NO, "the bucket refuses it")]) == Finding(
        "copy rights", FAILED, "list yes, write no", "the bucket refuses it", "s3"
    )
    warned = rights_finding("s3", [Right("write", UNKNOWN), Right("versions", NO, "turn versioning on")])
    assert (warned.state, warned.next_step) == (WARNING, "turn versioning on")
    assert rights_finding("s3", [Right("write", UNKNOWN)]).state == UNKNOWN
    assert rights_finding("s3", [Right("write", YES), Right("read", NO)]).state == OK


@pytest.mark.parametrize(
    ("given", "status", "message"),
    [
        ({"stdout": json.dumps({"status": "partial", "message": "m", "lines": ["l"]}), "rc": 1}, "partial", "m"),
        ({"stdout": "", "stderr": "backupdb: there is no job x", "rc": 3}, "failed", "backupdb: there is no job x"),
        ({"msg": "Error executing command.", "rc": 2}, "failed", f"Error executing command; {ADVICE}"),
        ({"unreachable": True, "msg": "no route"}, "unreachable", "no route"),
        ({"stdout": "[]"}, "failed", f"the program backupdb gave no answer; {ADVICE}"),
        ({}, "failed", f"the program backupdb gave no answer; {ADVICE}"),
    ],
)
def test_what_a_host_answered_is_summarised(given: dict[str, Any], status: str, message: str) -> None:
    told = DOCTOR.sum_up(summaries.Done("db1", called=[summaries.Called("ansible.builtin.command", None, given)]))
    assert (told["status"], told["message"]) == (status, message)
    assert set(told) == {"status", "message", "rows", "counts", "lines"}

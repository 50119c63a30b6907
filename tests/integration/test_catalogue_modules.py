# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules backup_info and backup_verify, run the way a task runs them, on backups of no server."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from backupdb.age.stream import X25519Identity
from backupdb.archives.envelope import Encryption, Envelope
from backupdb.repository.drill_records import write_drill
from backupdb.streams.compression import Compression
from backupdb.system.text import iso
from support.ansible import ROOT
from support.returns import OF_ANSIBLE
from support.stored import DUMP, IDENTITY, SEALED, TIME, flip_bit, store
from support.tree import folder_state

INFO = "vya.backupdb.backup_info"
VERIFY = "vya.backupdb.backup_verify"
PIPELINING = {"ANSIBLE_PIPELINING": "1"}


@pytest.fixture
def repository(scratch: Path) -> Path:
    root = scratch / "repository"
    root.mkdir(mode=0o700)
    first = store(root, "shop", content=DUMP, envelope=SEALED, inventory={"tables": 1}, inventory_trusted=True)
    record = {"schema": 1, "backup_id": first.folder.name, "verdict": "equal", "finished": iso(TIME)}
    write_drill(first.folder, {**record, "content": "not compared with the source"})
    later = TIME + timedelta(hours=1)
    store(root, "wiki", content=DUMP, envelope=SEALED, time=later, status="partial", missing=["view broken"])
    store(root, None, content=b'{\n "accounts": []\n}\n', form="json", envelope=SEALED, time=later)
    return root


def documented(module: str) -> dict[str, Any]:
    text = (ROOT / "plugins" / "modules" / f"{module.rpartition('.')[2]}.py").read_text(encoding="utf-8")
    found = re.search(r'RETURN = r"""(.*?)"""', text, re.DOTALL)
    assert found is not None
    returns: dict[str, Any] = yaml.safe_load(found.group(1))
    return returns


def keys_at_every_depth(
    result: Mapping[str, Any], returns: Mapping[str, Any], where: str = ""
) -> tuple[set[str], set[str]]:
    """Keys that were returned, and those that are documented, as far as both go."""
    here = {key for key in result if where or not (key in OF_ANSIBLE or key.startswith("_ansible"))}
    there = set(returns) - ({"error_kind"} if not where else set())
    got, said = {where + key for key in here}, {where + key for key in there}
    for key in here & there:
        value = result[key][0] if isinstance(result[key], list) and result[key] else result[key]
        if isinstance(value, Mapping) and "contains" in returns[key]:
            deeper = keys_at_every_depth(value, returns[key]["contains"], f"{where}{key}.")
            got, said = got | deeper[0], said | deeper[1]
    return got, said


def test_both_return_what_is_documented_and_nothing_else_and_change_nothing_in_check_mode_too(
    run_module: Callable[..., Any], repository: Path
) -> None:
    before = folder_state(repository)
    options: dict[str, dict[str, Any]] = {
        INFO: {"repository": str(repository), "proven": True},
        VERIFY: {"repository": str(repository), "level": "decrypt", "identity": IDENTITY.reveal()},
    }
    for module, given in options.items():
        runs = [run_module(module, given, check=check, environment=PIPELINING) for check in (False, True)]
        for run in runs:
            assert not run.failed, run.output
            assert not run.changed
            got, said = keys_at_every_depth(run.result, documented(module))
            assert got == said
        timing = {"seconds", "message", "backups", "invocation"}
        assert [{key: value for key, value in run.result.items() if key not in timing} for run in runs] == [
            {key: value for key, value in runs[0].result.items() if key not in timing}
        ] * 2
    assert {path for path in folder_state(repository) if not path.endswith("readers")} == set(before)


def test_the_catalogue_is_filtered_newest_first_and_reports_what_is_damaged(
    run_module: Callable[..., Any], repository: Path
) -> None:
    (repository / "lost").write_text("what is this?")
    every = run_module(INFO, {"repository": str(repository)})
    assert [entry["database"] for entry in every.result["backups"]][-1] == "shop"
    assert {entry["database"] for entry in every.result["backups"]} == {None, "wiki", "shop"}
    assert every.result["problems"] == [f"{repository}/lost does not belong in a repository and is left alone"]
    assert "does not belong" in every.output
    shop = every.result["backups"][-1]
    assert (shop["proven"], shop["drill"]["verdict"], shop["inventory"]) == (True, "equal", {"tables": 1})
    options = {"repository": str(repository), "kind": "database", "status": "partial", "since": "2026-11-20"}
    partial = run_module(INFO, options)
    assert [entry["missing"] for entry in partial.result["backups"]] == [["view broken"]]
    assert run_module(INFO, {"repository": str(repository), "until": "2026-11-19"}).result["count"] == 0
    (Path(shop["path"]) / "manifest.json").write_text("{")
    after = run_module(INFO, {"repository": str(repository)})
    assert not after.failed
    assert [entry["path"] for entry in after.result["damaged"]] == [shop["path"]]


def test_each_backup_gets_its_verdict_before_the_task_fails(run_module: Callable[..., Any], repository: Path) -> None:
    stranger = Envelope(Compression(), Encryption(recipients=(X25519Identity.generate().recipient,)))
    foreign = store(repository, "foreign", content=DUMP, envelope=stranger)
    broken = store(repository, "broken", content=DUMP, envelope=SEALED)
    flip_bit(broken.folder / "data.sql.zst.age", -1)
    run = run_module(VERIFY, {"repository": str(repository), "level": "decrypt", "identity": IDENTITY.reveal()})
    assert run.failed
    assert not run.changed
    verdicts = {entry["folder"]: entry["verdict"] for entry in run.result["backups"]}
    assert sorted(verdicts.values()) == ["damaged", "good", "good", "good", "wrong_key"]
    assert (verdicts[str(foreign.folder)], verdicts[str(broken.folder)]) == ("wrong_key", "damaged")
    assert str(broken.folder) in run.message
    assert IDENTITY.reveal() not in run.output
    only = {"paths": [str(broken.folder)], "level": "digest"}
    assert run_module(VERIFY, only).result["counts"]["damaged"] == 1


def test_a_key_may_come_from_a_file_and_never_shows(
    run_module: Callable[..., Any], repository: Path, scratch: Path
) -> None:
    file = scratch / "key.txt"
    file.touch(mode=0o600)
    file.write_text(IDENTITY.reveal())
    options = {"repository": str(repository), "level": "decrypt", "database": "shop", "identity_file": str(file)}
    run = run_module(VERIFY, options, verbosity=4)
    assert not run.failed, run.output
    assert IDENTITY.reveal() not in run.output
    file.chmod(0o640)
    refused = run_module(VERIFY, options)
    assert (refused.result["error_kind"], "chmod 0600" in refused.message) == ("InvalidOption", True)


@pytest.mark.parametrize(
    ("options", "kind", "word"),
    [
        ({"repository": "/nonexistent"}, "RepositoryError", "mount it"),
        ({"since": "yesterday"}, "InvalidOption", "since"),
        ({"database": "nothing"}, "BackupNotFound", "widen"),
    ],
)
def test_what_cannot_be_verified_says_what_to_do(
    run_module: Callable[..., Any], repository: Path, options: dict[str, str], kind: str, word: str
) -> None:
    run = run_module(VERIFY, {"repository": str(repository), **options})
    assert run.failed
    assert run.result["error_kind"] == kind
    assert word in run.message
    assert "Traceback" not in run.output


def test_a_read_only_repository_is_verified_with_a_warning(
    run_module: Callable[..., Any], small_tmpfs: Callable[[str], Path]
) -> None:
    root = small_tmpfs("1M")
    store(root, content=DUMP)
    subprocess.run(["mount", "-o", "remount,ro", str(root)], check=True)
    run = run_module(VERIFY, {"repository": str(root), "level": "decrypt"})
    assert not run.failed, run.output
    assert "cannot be locked" in run.output

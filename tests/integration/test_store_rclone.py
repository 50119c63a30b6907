# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A store that rclone reaches, in a folder and in an object store: it takes whole files only and replaces none."""

from __future__ import annotations

import hashlib
import os
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from backupdb.errors import (
    ArchiveDamaged,
    ClientMissing,
    Interrupted,
    InvalidOption,
    StoreError,
    StoreRefused,
    StoreUnavailable,
)
from backupdb.repository.stores.interface import Upload
from backupdb.repository.stores.notes import FileNotes, Notes
from backupdb.repository.stores.patience import Patience
from backupdb.repository.stores.rclone import RcloneStore
from support.copying import Copier, copied, proven, shown
from support.library import wait_for
from support.private_server import free_port
from support.stored import DUMP, SEALED, store
from support.stores import PLACE, content_of, names_in, opened, put, settings_of, upload

pytestmark = pytest.mark.long

MIB = 1 << 20
NAMES = ("data", "manifest.json", "manifest.json.sha256")


def section(scratch: Path, url: str, key: dict[str, str]) -> Path:
    """A configuration file as `rclone config` makes it."""
    path = scratch / "rclone.conf"
    path.touch(mode=0o600)
    path.write_text(
        "[cloud]\ntype = s3\nprovider = Other\nforce_path_style = true\nregion = us-east-1\n"
        f"endpoint = {url}\naccess_key_id = {key['access_key_id']}\nsecret_access_key = {key['secret_access_key']}\n"
    )
    return path


@pytest.fixture(params=["folder", "object store"])
def copy(request: pytest.FixtureRequest, scratch: Path, bucket: str) -> dict[str, Any]:
    options = {"name": "cloud", "type": "rclone", "patience": "5s"}
    if request.param == "folder":
        (scratch / "far").mkdir(mode=0o700)
        return {"options": {**options, "remote": f":local:{scratch}/far"}, "secrets": {}}
    seaweed = request.getfixturevalue("seaweed")
    seaweed.bucket(bucket)
    config = section(scratch, seaweed.url, seaweed.key("host"))
    return {"options": {**options, "remote": f"cloud:{bucket}/hosts", "config_file": str(config)}, "secrets": {}}


@pytest.fixture
def folder(scratch: Path) -> dict[str, Any]:
    (scratch / "far").mkdir(mode=0o700)
    return {
        "options": {"name": "cloud", "type": "rclone", "remote": f":local:{scratch}/far", "patience": "5s"},
        "secrets": {},
    }


def backup(scratch: Path, *, place: str = PLACE) -> list[Upload]:
    return [upload(scratch, name, f"{name} as it was".encode(), place=place) for name in NAMES]


def test_files_come_back_as_they_were_and_are_sent_once(copy: dict[str, Any], scratch: Path) -> None:
    files = [upload(scratch, "empty", 0), upload(scratch, "large", 40 * MIB), *backup(scratch)]
    with opened(copy) as there:
        assert names_in(there) == []
        assert put(there, *files) == sum(one.size for one in files)
        assert put(there, *files) == 0
        for one in files:
            found = there.facts(one.name)
            assert (found.name, found.size, found.current, found.later) == (one.name, one.size, True, 0)
            assert abs(found.time.timestamp() - time.time()) < 120
            assert hashlib.sha256(content_of(there, found)).hexdigest() == one.sha256
        assert (there.facts(f"{PLACE}/nothing"), there.facts(PLACE), there.facts("no/such/folder")) == (
            None,
            None,
            None,
        )
    with opened(copy) as another:
        assert put(another, *files) == 0


def test_lists_are_in_order_from_any_name_on(copy: dict[str, Any], scratch: Path) -> None:
    places = [f"db{host}/i/d/2026112{day}T021500Z-3f0c9a52" for host in (1, 10) for day in (1, 2)]
    with opened(copy) as there:
        for place in places:
            put(there, *backup(scratch, place=place))
        every = sorted(f"{place}/{name}" for place in places for name in NAMES)
        assert names_in(there) == every
        assert names_in(there, "db1") == names_in(there, "db1/") == [name for name in every if name.startswith("db1/")]
        assert names_in(there, "db1/i/d", "db1/i/d/20261122T021500Z") == [name for name in every if places[1] in name]
        assert names_in(there, "nothing") == []


def test_a_file_is_read_from_any_byte_on(copy: dict[str, Any], scratch: Path) -> None:
    one = upload(scratch, "data", 300_000)
    with opened(copy) as there:
        put(there, one)
        for offset in (1, 299_999):
            reader = there.open(there.facts(one.name), offset)
            assert b"".join(iter(lambda reader=reader: reader.read(70_000), b"")) == one.path.read_bytes()[offset:]
            reader.close()
        with pytest.raises(StoreError):
            content_of(there, replace(there.facts(one.name), name=f"{PLACE}/nothing"))


def test_a_file_that_has_rotted_is_not_sent(copy: dict[str, Any], scratch: Path) -> None:
    one = upload(scratch, "data", 300_000)
    content = bytearray(one.path.read_bytes())
    content[150_000] ^= 1
    one.path.write_bytes(content)
    with opened(copy) as there:
        with pytest.raises(ArchiveDamaged, match="is not what its manifest says"):
            put(there, one)
        assert names_in(there) == []


@pytest.mark.parametrize("theirs", [b"theirs", b"manifest.json AS IT WAS"])
def test_what_somebody_else_has_put_there_is_not_replaced(copy: dict[str, Any], scratch: Path, theirs: bytes) -> None:
    with opened(copy) as there:
        put(there, upload(scratch, "other", theirs))
        one = upload(scratch, "manifest.json", b"manifest.json as it was")
        there.program.say("moving", "", "moveto", there.where(f"{PLACE}/other"), there.where(one.name))
        with pytest.raises(StoreError, match=r"is there, and is something else.*nothing is replaced"):
            put(there, one)
        assert content_of(there, there.facts(one.name)) == theirs


def test_what_a_run_of_ours_has_left_half_done_is_sent_anew(folder: dict[str, Any], scratch: Path) -> None:
    one = upload(scratch, "data", MIB)
    half = scratch / "far" / one.name
    half.parent.mkdir(parents=True)
    half.write_bytes(one.path.read_bytes()[: MIB // 2])
    notes = FileNotes(scratch / "notes.json")
    with opened(folder, notes=Notes()) as there, pytest.raises(StoreError, match="something else"):
        put(there, one)
    notes.keep(one.name, f"sending {one.sha256}")
    with opened(folder, notes=FileNotes(scratch / "notes.json")) as there:
        assert put(there, one) == MIB
        assert content_of(there, there.facts(one.name)) == one.path.read_bytes()
    assert not (scratch / "notes.json").exists()


def test_a_backup_is_removed_with_its_manifest_first(copy: dict[str, Any], scratch: Path) -> None:
    with opened(copy) as there:
        put(there, *backup(scratch))
        other = upload(scratch, "manifest.json", b"x", place=f"{PLACE[:-1]}7")
        put(there, other)
        there.remove(PLACE, list(there.entries(PLACE)))
        assert names_in(there) == [other.name]
        there.remove(PLACE, [])


def test_backups_are_copied_listed_and_verified(repository: Path, scratch: Path, copy: dict[str, Any]) -> None:
    made = store(repository, content=DUMP, envelope=SEALED)
    state = scratch / "state"
    plan = copied(repository, state, copy, check_mode=True)
    assert (plan["status"], plan["copies"][0]["policy"]) == ("planned", None)
    assert copied(repository, state, copy)["status"] == "ok"
    assert copied(repository, state, copy)["changed"] is False
    assert shown(copy) == proven(copy) == [made.folder.name]


def test_a_run_that_is_killed_while_it_sends_is_gone_on_with(
    repository: Path, scratch: Path, folder: dict[str, Any]
) -> None:
    made = store(repository, content=os.urandom(20 * MIB) + DUMP, envelope=SEALED)
    slow = {**folder, "options": {**folder["options"], "bandwidth": "2M"}}
    copier = Copier(repository, scratch / "state", slow)
    wait_for(lambda: list((scratch / "far").rglob("data*")), what="the archive")
    time.sleep(1)
    copier.kill()
    assert copier.was_killed()
    assert shown(folder) == []
    wait_for(lambda: not program_runs(str(scratch)), what="the end of rclone")
    assert copied(repository, scratch / "state", folder)["status"] == "ok"
    assert proven(folder) == [made.folder.name]


def program_runs(word: str) -> bool:
    lines = subprocess.run(["ps", "-eo", "args"], check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    return any("rclone" in line and word in line for line in lines)


def test_the_wish_to_stop_is_heard_while_a_file_is_sent(scratch: Path, folder: dict[str, Any]) -> None:
    cancel = threading.Event()
    there = RcloneStore(settings_of(folder, bandwidth="100K"), Patience(60, cancel))
    threading.Timer(1.5, cancel.set).start()
    began = time.monotonic()
    with pytest.raises(Interrupted):
        put(there, upload(scratch, "data", 20 * MIB))
    assert time.monotonic() - began < 10
    assert not program_runs(str(scratch))


def test_no_secret_is_on_a_command_line_and_nothing_of_the_environment_counts(
    seaweed: Any, bucket: str, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_CA_BUNDLE", "RCLONE_CONFIG", "RCLONE_S3_ENDPOINT", "HTTPS_PROXY", "HTTP_PROXY", "RCLONE_DRY_RUN"):
        monkeypatch.setenv(name, "true" if name == "RCLONE_DRY_RUN" else "http://127.0.0.1:1/nonsense")
    seaweed.bucket(bucket)
    key = seaweed.key("host")
    config = section(scratch, seaweed.url, key)
    copy = {
        "options": {"name": "c", "type": "rclone", "remote": f"cloud:{bucket}", "config_file": str(config)},
        "secrets": {},
    }
    words: list[str] = []
    with opened(copy, bandwidth="2M") as there:
        done = threading.Event()

        def look() -> None:
            while not done.wait(0.05):
                for path in Path("/proc").glob("[0-9]*/cmdline"):
                    try:
                        line = path.read_bytes()
                    except OSError:
                        continue
                    if b"rclone" in line and str(config).encode() in line:
                        words.append(line.decode())

        watcher = threading.Thread(target=look)
        watcher.start()
        put(there, upload(scratch, "data", 3 * MIB))
        done.set()
        watcher.join()
    assert words
    assert all(key["secret_access_key"] not in line and key["access_key_id"] not in line for line in words)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"remote": "/only/a/path"}, "remote"),
        ({"remote": "-v:x"}, "remote"),
        ({"remote": "cloud:x"}, "config_file"),
        ({"remote": ":s3,provider=AWS,secret_access_key=abc123:x"}, "holds a secret"),
        ({"remote": ":sftp,host=h,pass=abc123:x"}, "holds a secret"),
        (
            {"remote": "cloud:x", "config_file": "/nowhere/rclone.conf"},
            "config_file /nowhere/rclone.conf cannot be read",
        ),
    ],
)
def test_options_that_cannot_be_used_are_named(options: dict[str, Any], named: str) -> None:
    copy = {"options": {"name": "c", "type": "rclone", **options}, "secrets": {}}
    with pytest.raises(InvalidOption, match=named) as caught, opened(copy):
        pass
    assert "abc123" not in str(caught.value)


def test_a_configuration_that_others_may_read_is_refused(scratch: Path) -> None:
    config = section(scratch, "http://127.0.0.1:1", {"access_key_id": "a", "secret_access_key": "b"})
    config.chmod(0o640)
    copy = {"options": {"name": "c", "type": "rclone", "remote": "cloud:x", "config_file": str(config)}, "secrets": {}}
    with pytest.raises(InvalidOption, match="chmod 0600"), opened(copy):
        pass


def test_a_program_that_is_missing_is_named_with_its_package(
    folder: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ClientMissing, match="install the package rclone"), opened(folder):
        pass


def refused(scratch: Path, bucket: str, url: str, key: dict[str, str]) -> Callable[[], Any]:
    config = section(scratch, url, key)
    copy = {
        "options": {"name": "c", "type": "rclone", "remote": f"cloud:{bucket}", "config_file": str(config)},
        "secrets": {},
    }

    def work() -> None:
        with opened(copy, patience=1) as there:
            put(there, upload(scratch, "data", 1000))

    return work


def test_a_wrong_key_a_section_that_is_not_there_and_a_server_that_is_away_are_told(
    seaweed: Any, bucket: str, scratch: Path
) -> None:
    seaweed.bucket(bucket)
    wrong = {**seaweed.key("host"), "secret_access_key": "a-wrong-secret"}
    with pytest.raises(StoreRefused, match="look at remote and config_file") as caught:
        refused(scratch, bucket, seaweed.url, wrong)()
    assert "a-wrong-secret" not in str(caught.value)
    with pytest.raises(StoreUnavailable, match="tried again for"):
        refused(scratch, bucket, f"http://127.0.0.1:{free_port()}", wrong)()
    copy = {
        "options": {
            "name": "c",
            "type": "rclone",
            "remote": "unknown:x",
            "config_file": str(scratch / "rclone.conf"),
        },
        "secrets": {},
    }
    with opened(copy) as there, pytest.raises(StoreRefused, match="didn't find section"):
        names_in(there)


def test_rights_are_unknown_but_for_the_list(copy: dict[str, Any]) -> None:
    with opened(copy) as there:
        assert {right.name: right.known for right in there.rights()} == {
            "list": "yes",
            **dict.fromkeys(("read", "write", "remove", "versions", "lock"), "unknown"),
        }
        assert there.policy() is None
        assert there.locked_until(there.facts("x") or next(iter(()), None)) is None  # type: ignore[arg-type]

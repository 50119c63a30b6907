# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What copying does when stores, links, keys and other runs get in its way: what can be sent is, and all is told."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from backupdb.copying import run as run_module
from backupdb.copying.prune import prune
from backupdb.repository import last_copy
from backupdb.repository.copy_source import CopySource, copy_home
from backupdb.repository.stores import patience
from backupdb.retention.copy_request import PruneCopyRequest
from backupdb.retention.policy import RetentionPolicy
from backupdb.system.text import utc_now
from support.binaries import other_clock
from support.copying import Copier, copied, proven, shown
from support.failing_proxy import Answer, Cut, FailingProxy, Request, failing
from support.library import wait_for
from support.private_server import free_port
from support.seaweed import Seaweed
from support.sender import SMALL_PARTS
from support.stored import DUMP, SEALED, TIME, store
from support.stores import settings_of
from support.tree import folder_state

pytestmark = pytest.mark.long

MIB = 1 << 20
DAYS = 3


@pytest.fixture
def made(repository: Path) -> list[Path]:
    """The folders of one backup a day, the oldest first."""
    return [
        store(
            repository, time=TIME + timedelta(days=day), run_id=f"{day:08x}{'0' * 24}", content=DUMP, envelope=SEALED
        ).folder
        for day in range(DAYS)
    ]


@pytest.fixture
def copy(seaweed: Any, proxy: FailingProxy, bucket: str) -> dict[str, Any]:
    found: dict[str, Any] = seaweed.copy(seaweed.bucket(bucket), endpoint=proxy.url, patience="3s")
    return found


def with_options(copy: dict[str, Any], **options: Any) -> dict[str, Any]:
    return {**copy, "options": {**copy["options"], **options}}


def names(folders: list[Path]) -> list[str]:
    return [folder.name for folder in folders]


def test_a_copier_that_is_killed_inside_a_large_archive_goes_on_with_its_parts(
    seaweed: Any, repository: Path, state: Path, copy: dict[str, Any], proxy: FailingProxy
) -> None:
    archive = store(repository, content=os.urandom(240 * MIB) + DUMP, envelope=SEALED)
    size = sum(path.stat().st_size for path in archive.folder.iterdir())
    copiers: list[Copier] = []

    def kill(request: Request) -> None:
        if "partNumber=30&" in f"{request.target}&" and request.passed > MIB:
            copiers[0].kill()

    proxy.passing = kill
    copiers.append(Copier(repository, state, copy, constants=SMALL_PARTS))
    assert copiers[0].was_killed()
    proxy.passing = lambda _request: None
    assert shown(copy) == []
    assert Copier(repository, state, copy, constants=SMALL_PARTS).result()["status"] == "ok"
    assert proxy.sent() <= 1.1 * size, proxy.sent() / size
    assert proven(copy) == [archive.folder.name]


def test_a_server_that_goes_away_is_waited_for_and_what_is_missing_is_sent(
    repository: Path, state: Path, made: list[Path], bucket: str
) -> None:
    own = Seaweed().start()
    with failing("127.0.0.1", own.port) as proxy:
        copy = own.copy(own.bucket(bucket), endpoint=proxy.url, patience="1s")
        gone: list[Request] = []

        def end_the_server(request: Request) -> None:
            if request.method == "PUT" and request.target.endswith("manifest.json") and not gone:
                gone.append(request)
                own.kill()

        proxy.answered = end_the_server
        try:
            first = copied(repository, state, copy)
            assert first["status"] == "partial"
            assert "tried again for 1.0 s, the next run goes on from here" in first["message"]
            assert len(first["copies"][0]["sent"]) <= 1
            proxy.reset()
            own.start()
            assert shown(copy) in ([], names(made[:1]))
            second = copied(repository, state, copy)
            assert second["status"] == "ok"
            assert proven(copy) == names(made)
        finally:
            own.kill()


@pytest.mark.parametrize("fault", [Answer(503, "SlowDown"), Cut(), Cut(100)])
def test_a_storm_passes_within_the_patience_that_was_asked_for(
    repository: Path,
    state: Path,
    made: list[Path],
    copy: dict[str, Any],
    proxy: FailingProxy,
    monkeypatch: pytest.MonkeyPatch,
    fault: Any,
) -> None:
    monkeypatch.setattr(patience, "_FIRST_WAIT", 0.02)
    proxy.fault = lambda request: fault if request.number % 3 else None
    assert copied(repository, state, with_options(copy, patience="30s"))["status"] == "ok"
    proxy.reset()
    assert proven(copy) == names(made)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer(507, "InsufficientStorage"), "the store is full, or over its quota"),
        (Answer(403, "AccessDenied"), "the key has no right to do this"),
        (Answer(403, "InvalidAccessKeyId"), "the key is not accepted"),
    ],
)
def test_what_cannot_be_sent_now_is_sent_by_a_later_run(
    repository: Path,
    state: Path,
    made: list[Path],
    copy: dict[str, Any],
    proxy: FailingProxy,
    answer: Answer,
    said: str,
) -> None:
    """The store has room, or the key its right, for the first backup alone."""
    allowed = made[0].name
    proxy.fault = lambda request: answer if request.method == "PUT" and allowed not in request.target else None
    result = copied(repository, state, copy)
    assert result["status"] == "partial"
    assert said in result["message"]
    (entry,) = result["copies"]
    assert (len(entry["sent"]), entry["still_missing"]) == (1, 2)
    assert all(folder.is_dir() for folder in made)
    last = last_copy.read_last(copy_home(str(state), "offsite"))
    assert last is not None
    assert (last.missing, said in str(last.error)) == (2, True)
    proxy.reset()
    assert shown(copy) == names(made[:1])
    assert copied(repository, state, copy)["status"] == "ok"
    assert proven(copy) == names(made)
    last = last_copy.read_last(copy_home(str(state), "offsite"))
    assert last is not None
    assert (last.missing, last.error) == (0, None)


def test_one_copy_that_fails_does_not_stop_the_other(
    repository: Path, state: Path, made: list[Path], copy: dict[str, Any]
) -> None:
    broken = with_options(copy, name="broken", endpoint=f"http://127.0.0.1:{free_port()}", patience="1s")
    result = copied(repository, state, broken, copy)
    assert result["status"] == "partial"
    assert [entry["status"] for entry in result["copies"]] == ["failed", "ok"]
    assert result["copies"][0]["error_kind"] == "StoreUnavailable"
    assert proven(copy) == names(made)


def test_a_copy_that_is_not_required_only_warns(
    repository: Path, state: Path, made: list[Path], copy: dict[str, Any]
) -> None:
    broken = with_options(
        copy, name="broken", endpoint=f"http://127.0.0.1:{free_port()}", patience="1s", required=False
    )
    result = copied(repository, state, broken, copy)
    assert (result["status"], result["changed"]) == ("ok", True)
    assert any(line.startswith("copy broken: ") for line in result["warnings"])


def test_a_required_copy_that_takes_nothing_is_a_failure(
    repository: Path, state: Path, made: list[Path], copy: dict[str, Any]
) -> None:
    broken = with_options(copy, endpoint=f"http://127.0.0.1:{free_port()}", patience="1s")
    result = copied(repository, state, broken)
    assert (result["status"], result["changed"]) == ("failed", False)


def test_a_second_run_waits_for_the_first_and_in_time_finds_nothing_left_to_send(
    repository: Path, state: Path, made: list[Path], copy: dict[str, Any], proxy: FailingProxy
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def wait(request: Request) -> None:
        if request.method == "PUT":
            begun.set()
            go_on.wait(30)

    proxy.answered = wait
    first = Copier(repository, state, copy)
    try:
        assert begun.wait(30)
        impatient = copied(repository, state, with_options(copy, patience="1s"))
        planned = copied(repository, state, copy, check_mode=True)
        patient = Copier(repository, state, with_options(copy, patience="5m"))
        time.sleep(1)  # in which it begins to wait
    finally:
        go_on.set()
    for result in (impatient, planned):
        assert result["status"] == "busy"
        assert "another run is copying there" in result["message"]
    assert first.result()["status"] == "ok"
    second = patient.result()
    assert (second["status"], second["changed"], second["copies"][0]["sent"]) == ("ok", False, [])
    assert proven(copy) == names(made)


def test_a_run_that_is_asked_to_stop_stops_soon_and_the_next_goes_on(
    repository: Path, state: Path, made: list[Path], copy: dict[str, Any], proxy: FailingProxy
) -> None:
    copiers: list[Copier] = []
    asked: list[float] = []

    def stop(request: Request) -> None:
        if request.method == "PUT" and made[1].name in request.target and not asked:
            asked.append(time.monotonic())
            copiers[0].stop()

    proxy.passing = stop
    copiers.append(Copier(repository, state, with_options(copy, bandwidth="2M")))
    result = copiers[0].result()
    assert time.monotonic() - asked[0] < 5
    assert result["status"] == "failed"
    assert "stopped by SIGTERM" in result["message"]
    assert result["copies"][0]["error_kind"] == "Interrupted"
    proxy.passing = lambda _request: None
    assert shown(copy) == names(made[:1])
    assert copied(repository, state, copy)["status"] == "ok"
    assert proven(copy) == names(made)


def test_a_run_that_waits_for_a_store_hears_the_wish_to_stop(
    repository: Path, state: Path, made: list[Path], copy: dict[str, Any], proxy: FailingProxy
) -> None:
    proxy.fault = lambda request: Answer(503, "SlowDown") if request.method == "PUT" else None
    copier = Copier(repository, state, with_options(copy, patience="10m"))
    wait_for(lambda: len(proxy.of("PUT")) > 1, what="a second attempt")
    began = time.monotonic()
    copier.stop()
    assert copier.result()["status"] == "failed"
    assert time.monotonic() - began < 5


def test_the_limit_of_bandwidth_is_kept(
    repository: Path, state: Path, copy: dict[str, Any], proxy: FailingProxy
) -> None:
    store(repository, content=os.urandom(3 * MIB), envelope=SEALED)
    began = time.monotonic()
    assert copied(repository, state, with_options(copy, bandwidth="1M"))["status"] == "ok"
    assert 2.5 <= time.monotonic() - began < 8


def test_a_backup_that_belongs_elsewhere_is_not_copied(
    repository: Path, state: Path, made: list[Path], copy: dict[str, Any]
) -> None:
    stray = made[1].parents[1] / "other" / made[1].name
    shutil.copytree(made[1], stray)
    for folder in (stray.parent, stray):
        folder.chmod(0o700)
    result = copied(repository, state, copy)
    assert result["status"] == "ok"
    assert any(f"{stray} holds a backup that belongs elsewhere" in line for line in result["warnings"])
    assert proven(copy) == names(made)


def test_a_manifest_that_is_changed_after_it_was_published_is_refused(
    repository: Path, state: Path, made: list[Path], copy: dict[str, Any]
) -> None:
    manifest = made[1] / "manifest.json"
    manifest.chmod(0o600)
    manifest.write_bytes(manifest.read_bytes().replace(b'"warnings":', b'"Warnings":', 1))
    result = copied(repository, state, copy)
    assert len(result["copies"][0]["sent"]) == 2
    assert str(made[1]) in " ".join([result["message"], *result["warnings"]])
    assert shown(copy) == [made[0].name, made[2].name]


def test_many_backups_that_cannot_be_sent_are_not_all_tried(
    repository: Path, state: Path, copy: dict[str, Any], proxy: FailingProxy
) -> None:
    for day in range(8):
        store(repository, time=TIME + timedelta(days=day), run_id=f"{day:08x}{'0' * 24}", content=b"x")
    proxy.fault = lambda request: Answer(400, "InvalidRequest") if request.method == "PUT" else None
    result = copied(repository, state, copy)
    assert result["status"] == "failed"
    assert len(proxy.of("PUT")) == run_module._TOO_MANY
    assert result["copies"][0]["still_missing"] == 8


def test_what_somebody_does_to_a_copy_is_told_and_changes_nothing(
    seaweed: Any, repository: Path, scratch: Path, state: Path, made: list[Path], bucket: str
) -> None:
    copy = seaweed.copy(seaweed.bucket(bucket, versions=True))
    assert copied(repository, state, copy)["status"] == "ok"
    place = "/".join(made[0].parts[-4:])
    seaweed.client().put_object(Bucket=bucket, Key=f"{place}/manifest.json", Body=b"{}")
    seaweed.client().delete_object(Bucket=bucket, Key="/".join(made[1].parts[-4:]) + "/manifest.json")
    seaweed.client().put_object(Bucket=bucket, Key="odd-file", Body=b"x")
    result = copied(repository, state, copy)
    assert (result["status"], result["changed"]) == ("ok", False)
    said = "\n".join(result["warnings"])
    assert said.count("was written again or removed after it had arrived; the first version counts") == 2
    assert "1 files that belong to no backup, such as 'odd-file'" in said
    shutil.rmtree(state)
    assert copied(repository, state, copy)["changed"] is False


def test_a_look_at_a_copy_again_tells_of_nothing_where_nothing_happened(
    seaweed: Any, moto: Any, repository: Path, state: Path, made: list[Path], bucket: str
) -> None:
    """Stores are not equally exact about times, and keys do not all see versions."""
    for number, server in enumerate((seaweed, moto)):
        for kind in ({}, {"versions": True}):
            here = f"{bucket}-{number}-{len(kind)}"
            copy = with_options(server.copy(server.bucket(here, **kind)), name=here)
            for _run in range(3):
                result = copied(repository, state, copy)
                assert (result["status"], result["warnings"]) == ("ok", [])
            if not kind:
                server.client().put_bucket_versioning(Bucket=here, VersioningConfiguration={"Status": "Enabled"})
                assert copied(repository, state, copy)["warnings"] == []


def test_a_backup_that_a_prune_removes_meanwhile_is_passed_over(
    repository: Path, state: Path, made: list[Path], copy: dict[str, Any], proxy: FailingProxy
) -> None:
    def remove(request: Request) -> None:
        if request.method == "PUT" and made[0].name in request.target and made[1].exists():
            shutil.rmtree(made[1])

    proxy.answered = remove
    result = copied(repository, state, copy)
    assert result["status"] == "ok"
    assert shown(copy) == [made[0].name, made[2].name]


def test_secrets_of_a_copy_are_nowhere_to_be_seen(
    repository: Path, state: Path, made: list[Path], copy: dict[str, Any], proxy: FailingProxy
) -> None:
    secret = copy["secrets"]["secret_access_key"]
    results = [copied(repository, state, copy, check_mode=True), copied(repository, state, copy)]
    proxy.fault = lambda _request: Answer(403, "SignatureDoesNotMatch")
    results.append(copied(repository, state, copy))
    assert results[-1]["status"] == "failed"
    assert secret not in repr(results)
    for path in state.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path
        if path.is_file():
            assert secret.encode() not in path.read_bytes()


def test_a_store_whose_disk_is_full_is_told_and_the_next_run_goes_on_when_there_is_room(
    small_tmpfs: Callable[[str], Path], repository: Path, state: Path
) -> None:
    disk = small_tmpfs("72M")
    made = [
        store(
            repository,
            time=TIME + timedelta(days=day),
            run_id=f"{day:08x}{'0' * 24}",
            content=os.urandom(size * MIB) + DUMP,
            envelope=SEALED,
        ).folder
        for day, size in enumerate((8, 8, 60, 8))
    ]
    before = [folder_state(folder) for folder in made]
    (disk / "store").mkdir()
    server = Seaweed(folder=disk / "store").start()
    try:
        copy = server.copy(server.bucket("full"), patience="3s")
        first = copied(repository, state, copy)
        assert first["status"] == "partial"
        assert first["copies"][0]["sent"] == [f"db1/shop-db/shop/{folder.name}" for folder in made[:2]]
        for word in (
            "copy offsite: 2 backups sent",
            "2 still missing",
            f"sending s3://full/db1/shop-db/shop/{made[2].name}/data.",
            "or its disk is full",
            "the next run goes on from here",
        ):
            assert word in first["message"]
        assert shown(copy) == names(made[:2])
        assert [folder_state(folder) for folder in made] == before
        subprocess.run(["mount", "-o", "remount,size=512M", str(disk)], check=True)
        assert wait_for(lambda: copied(repository, state, copy)["status"] == "ok", seconds=60)
        assert proven(copy) == names(made)
    finally:
        server.kill()


@pytest.mark.parametrize("ahead", [600, -600])
def test_a_host_whose_clock_is_ten_minutes_off_copies_and_its_backups_count(
    ahead: int, seaweed: Seaweed, bucket: str, repository: Path, state: Path, scratch: Path
) -> None:
    copy = seaweed.copy(seaweed.bucket(bucket, versions=True), key="admin", prune="here")
    made = [made_by_a_clock(repository, ahead, number) for number in range(4)]
    sent = Copier(repository, state, copy, variables=other_clock(ahead)).result()
    assert (sent["status"], sent["warnings"]) == ("ok", [])
    assert proven(copy) == names(made)
    settings = settings_of(copy)
    request = PruneCopyRequest(copy=settings, policy=RetentionPolicy(keep_last=1))
    (planned,) = prune(CopySource(settings, str(scratch / "pruner")), [request], check_mode=True)
    assert planned["uncounted"] == []  # as what is taken for forged would be
    if ahead < 0:
        assert (planned["removed"], planned["kept"]) == (3, 1)


@pytest.mark.parametrize(("ahead", "word"), [(1200, "ahead of"), (-1200, "behind")])
def test_a_host_whose_clock_is_further_off_is_told_by_a_real_store(
    ahead: int, word: str, seaweed: Seaweed, bucket: str, repository: Path, state: Path
) -> None:
    made_by_a_clock(repository, ahead, 0)
    copy = seaweed.copy(seaweed.bucket(bucket))
    sent = Copier(repository, state, copy, variables=other_clock(ahead)).result()
    assert sent["status"] == "failed"
    said = rf"the clocks differ: this host's is (19|20) min \d+ s {word} the store's; set this host's clock"
    assert re.search(said, sent["message"]), sent["message"]


def made_by_a_clock(repository: Path, ahead: float, number: int) -> Path:
    time_there = utc_now() + timedelta(seconds=ahead + number - 60)
    return store(repository, time=time_there, run_id=f"{number:08x}{'0' * 24}", content=DUMP, envelope=SEALED).folder

# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sending to S3 where processes are killed, links are cut and the store is busy: what is there is not sent again."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from backupdb.errors import StoreError, StoreUnavailable
from backupdb.repository.stores import s3_client, s3_upload
from backupdb.repository.stores.interface import Upload
from backupdb.repository.stores.notes import FileNotes
from support.failing_proxy import Answer, Cut, FailingProxy, Request
from support.library import wait_for
from support.sender import SMALL_PARTS, Sender, idle_peak
from support.stores import PLACE, content_of, opened, put, upload

pytestmark = pytest.mark.long

MIB = 1 << 20
PART = 5 * MIB
LARGE = 240 * MIB  # 48 parts, of which four are on their way at once


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SMALL_PARTS.items():
        monkeypatch.setattr(s3_upload, name, value)


@pytest.fixture(params=["host", "granted"])
def copy(request: pytest.FixtureRequest, seaweed: Any, proxy: FailingProxy, bucket: str) -> dict[str, Any]:
    """A copy behind the proxy, for a key that may look and for one that has what our policy gives it, and no more."""
    found: dict[str, Any] = seaweed.copy(seaweed.bucket(bucket), key=request.param, endpoint=proxy.url, patience="20s")
    with opened(found) as store:
        seaweed.grant(bucket, store.policy())
    return found


@pytest.fixture
def of_host(seaweed: Any, proxy: FailingProxy, bucket: str) -> dict[str, Any]:
    found: dict[str, Any] = seaweed.copy(seaweed.bucket(bucket), endpoint=proxy.url)
    return found


def is_there(seaweed: Any, copy: dict[str, Any], one: Upload) -> bool:
    with opened(seaweed.copy(copy["options"]["bucket"])) as store:
        found = store.facts(one.name)
        return found is not None and hashlib.sha256(content_of(store, found)).hexdigest() == one.sha256


def begun(seaweed: Any, copy: dict[str, Any]) -> list[Any]:
    return list(seaweed.client().list_multipart_uploads(Bucket=copy["options"]["bucket"]).get("Uploads", ()))


def test_an_upload_that_was_killed_is_gone_on_with_by_another_process(
    seaweed: Any, proxy: FailingProxy, copy: dict[str, Any], scratch: Path
) -> None:
    one, notes = upload(scratch, "data", LARGE), scratch / "notes.json"
    senders: list[Sender] = []

    def kill_in_part_20(request: Request) -> None:
        if request.is_part() and "partNumber=20&" in f"{request.target}&" and request.passed > PART // 2:
            senders[0].kill()

    proxy.passing = kill_in_part_20
    senders.append(Sender(copy, notes, one, constants=SMALL_PARTS))
    assert senders[0].was_killed()
    assert not is_there(seaweed, copy, one)
    assert len(begun(seaweed, copy)) == 1
    proxy.passing = lambda _request: None
    second = Sender(copy, notes, one, constants=SMALL_PARTS).result()
    assert is_there(seaweed, copy, one)
    assert second["sent"] <= LARGE - 16 * PART
    assert proxy.sent() <= 1.1 * LARGE, proxy.sent() / LARGE
    assert begun(seaweed, copy) == []
    assert not notes.exists()


@pytest.mark.parametrize("after", ["first", "second"])
def test_a_backup_that_was_killed_between_its_files_is_gone_on_with(
    seaweed: Any, proxy: FailingProxy, copy: dict[str, Any], scratch: Path, after: str
) -> None:
    files = [upload(scratch, name, MIB) for name in ("first", "second", "manifest.json")]
    notes = scratch / "notes.json"
    senders: list[Sender] = []

    def kill(request: Request) -> None:
        if request.method == "PUT" and request.target.endswith(after):
            senders[0].kill()

    proxy.answered = kill
    senders.append(Sender(copy, notes, *files))
    assert senders[0].was_killed()
    proxy.answered = lambda _request: None
    before = proxy.sent()
    result = Sender(copy, notes, *files).result()
    assert all(is_there(seaweed, copy, one) for one in files)
    # A key that may not look sends once more what it had no answer for, and is told that it is there.
    again = 1 if copy["secrets"] == seaweed.key("granted") else 0
    assert result["sent"] == proxy.sent() - before
    assert result["sent"] <= (2 + again if after == "first" else 1 + again) * MIB
    assert not notes.exists()


def test_a_part_that_the_store_has_with_other_bytes_is_sent_again(
    seaweed: Any, of_host: dict[str, Any], scratch: Path, small_parts: None
) -> None:
    one, other = upload(scratch, "data", 16 * MIB), upload(scratch, "other", 16 * MIB)
    client = seaweed.client()
    target = {"Bucket": of_host["options"]["bucket"], "Key": one.name}
    upload_id = client.create_multipart_upload(**target)["UploadId"]
    for number, source in ((1, one), (2, other), (3, one)):
        part = source.path.read_bytes()[(number - 1) * PART : number * PART]
        client.upload_part(**target, UploadId=upload_id, PartNumber=number, Body=part)
    with opened(of_host) as store:
        assert put(store, one) == PART + MIB
    assert is_there(seaweed, of_host, one)


def test_an_upload_that_the_store_has_forgotten_is_begun_anew(
    seaweed: Any, copy: dict[str, Any], scratch: Path, small_parts: None
) -> None:
    one = upload(scratch, "data", 16 * MIB)
    notes = FileNotes(scratch / "notes.json")
    notes.keep(one.name, "no-upload-of-this-store")
    with opened(copy, notes=notes) as store:
        assert put(store, one) == one.size
    assert is_there(seaweed, copy, one)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"x": 5}', b'{"data": {}}', b"\xff", b"[" * 100_000])
def test_notes_that_are_not_whole_are_no_notes(
    seaweed: Any, of_host: dict[str, Any], scratch: Path, content: bytes
) -> None:
    one, path = upload(scratch, "data", 1000), scratch / "notes.json"
    path.write_bytes(content)
    with opened(of_host, notes=FileNotes(path)) as store:
        assert put(store, one) == one.size
    assert is_there(seaweed, of_host, one)


@pytest.mark.parametrize("fault", [Answer(503, "SlowDown"), Answer(500, "InternalError"), Cut(), Cut(700_000)])
def test_a_storm_of_faults_passes(
    seaweed: Any,
    proxy: FailingProxy,
    of_host: dict[str, Any],
    scratch: Path,
    small_parts: None,
    monkeypatch: pytest.MonkeyPatch,
    fault: Any,
) -> None:
    monkeypatch.setattr("backupdb.repository.stores.patience._FIRST_WAIT", 0.02)
    files = [upload(scratch, "data", 16 * MIB), upload(scratch, "manifest.json", 10_000)]
    proxy.fault = lambda request: fault if request.number % 3 else None
    with opened(of_host, patience=60) as store:
        counted = put(store, *files)
    assert all(is_there(seaweed, of_host, one) for one in files)
    # What went out twice is counted twice; of what a cut has swallowed the client cannot know how much arrived.
    assert counted >= sum(one.size for one in files)


def test_a_store_that_stays_away_is_given_up_in_time(
    proxy: FailingProxy, of_host: dict[str, Any], scratch: Path
) -> None:
    proxy.fault = lambda request: Answer(503, "SlowDown") if request.method == "PUT" else None
    with (
        opened(of_host, patience=2) as store,
        pytest.raises(StoreUnavailable, match=r"busy or broken \(SlowDown.*tried again for 2\.0 s, the next run goes"),
    ):
        put(store, upload(scratch, "data", 1000))
    assert len(proxy.requests) > 2


@pytest.mark.parametrize("word", ["data", "uploadId="])
def test_an_object_whose_answer_was_lost_is_there_and_not_sent_again(
    seaweed: Any, proxy: FailingProxy, copy: dict[str, Any], scratch: Path, small_parts: None, word: str
) -> None:
    """The store has made the object, and its answer is cut: for one in a single request, and for one in parts."""
    one = upload(scratch, "data", MIB if word == "data" else 16 * MIB)
    method = "PUT" if word == "data" else "POST"
    lost: list[Request] = []

    def lose_the_first(request: Request) -> Any:
        if request.method == method and word in request.target and not lost:
            lost.append(request)
            return Cut(0, answer=True)
        return None

    proxy.fault = lose_the_first
    with opened(copy) as store:
        assert put(store, one) in (one.size, 2 * one.size)
    assert lost
    assert is_there(seaweed, copy, one)
    assert begun(seaweed, copy) == []


def test_parts_that_were_removed_before_they_were_an_object_are_not_taken_for_one(
    seaweed: Any, proxy: FailingProxy, copy: dict[str, Any], scratch: Path, small_parts: None
) -> None:
    """As a rule of the bucket does it with uploads that were begun long ago."""
    one = upload(scratch, "data", 16 * MIB)

    def remove_the_upload(request: Request) -> None:
        if request.method == "POST" and "uploadId=" in request.target:
            for entry in begun(seaweed, copy):
                seaweed.client().abort_multipart_upload(
                    Bucket=copy["options"]["bucket"], Key=entry["Key"], UploadId=entry["UploadId"]
                )

    def fault(request: Request) -> None:
        remove_the_upload(request)

    proxy.fault = fault
    with opened(copy) as store:
        with pytest.raises(StoreError, match=r"was being sent when the store forgot about it.*next run sends it again"):
            put(store, one)
        assert not is_there(seaweed, copy, one)
        proxy.reset()
        assert put(store, one) == one.size
    assert is_there(seaweed, copy, one)


def test_a_store_that_stops_answering_is_waited_for(
    seaweed: Any, of_host: dict[str, Any], scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3_client, "_READ_TIMEOUT", 1)
    one = upload(scratch, "data", MIB)
    with opened({**of_host, "options": {**of_host["options"], "endpoint": seaweed.url}}, patience=60) as store:
        seaweed.pause()
        try:
            import threading

            threading.Timer(3, seaweed.resume).start()
            put(store, one)
        finally:
            seaweed.resume()
    assert is_there(seaweed, of_host, one)


@pytest.mark.unmeasured
def test_sending_takes_the_same_memory_however_large_the_file(seaweed: Any, bucket: str, scratch: Path) -> None:
    copy = seaweed.copy(seaweed.bucket(bucket))
    one = upload(scratch, "data", 300 * MIB)
    peak = Sender(copy, scratch / "notes.json", one).result()["peak"]
    assert peak - idle_peak() <= 64 * MIB, (peak / MIB, idle_peak() / MIB)
    assert wait_for(lambda: is_there(seaweed, copy, one), what="the object")


def test_notes_are_for_this_user_alone_and_hold_no_secret(
    seaweed: Any, proxy: FailingProxy, copy: dict[str, Any], scratch: Path
) -> None:
    one, notes = upload(scratch, "data", 16 * MIB), scratch / "notes.json"
    senders: list[Sender] = []

    def kill(request: Request) -> None:
        if request.is_part():
            senders[0].kill()

    proxy.passing = kill
    senders.append(Sender(copy, notes, one, constants=SMALL_PARTS))
    assert senders[0].was_killed()
    assert notes.stat().st_mode & 0o777 == 0o600
    assert list(json.loads(notes.read_bytes())) == [f"{PLACE}/data"]
    assert "secret" not in notes.read_text()

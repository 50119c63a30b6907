# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Buckets that keep versions and lock them: the first version is the file, whatever comes after it."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from backupdb.errors import StoreRefused
from backupdb.repository.stores import s3 as s3_module
from support.stores import PLACE, content_of, names_in, opened, put, upload

pytestmark = pytest.mark.long

NAMES = ("data", "manifest.json", "manifest.json.sha256")


@pytest.fixture(params=["seaweed", "moto"])
def server(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)


def backup(scratch: Path) -> list[Any]:
    return [upload(scratch, name, f"{name} as it was".encode()) for name in NAMES]


def versions_left(server: Any, bucket: str) -> list[str]:
    found = server.client().list_object_versions(Bucket=bucket)
    return [entry["Key"] for kind in ("Versions", "DeleteMarkers") for entry in found.get(kind, ())]


@pytest.mark.parametrize("page", [1000, 1, 2])
def test_the_first_version_of_a_file_is_the_file(
    server: Any, bucket: str, scratch: Path, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    monkeypatch.setattr(s3_module, "_PAGE", page)
    copy = server.copy(server.bucket(bucket, versions=True))
    with opened(copy) as store:
        put(store, *backup(scratch))
        client = server.client()
        client.put_object(Bucket=bucket, Key=f"{PLACE}/data", Body=b"theirs")
        client.delete_object(Bucket=bucket, Key=f"{PLACE}/data")
        client.put_object(Bucket=bucket, Key=f"{PLACE}/data", Body=b"theirs, again")
        client.delete_object(Bucket=bucket, Key=f"{PLACE}/manifest.json")
        assert names_in(store) == [f"{PLACE}/{name}" for name in NAMES]
        listed = {entry.name.rpartition("/")[2]: entry for entry in store.entries()}
        assert {name: (entry.later, entry.current) for name, entry in listed.items()} == {
            "data": (3, False),
            "manifest.json": (1, False),
            "manifest.json.sha256": (0, True),
        }
        for name, entry in listed.items():
            assert content_of(store, entry) == f"{name} as it was".encode()
            seen = store.facts(f"{PLACE}/{name}")
            assert (seen, content_of(store, seen)) == (entry, f"{name} as it was".encode())


def test_a_file_that_is_there_is_not_sent_over_by_whoever_comes_second(server: Any, bucket: str, scratch: Path) -> None:
    copy = server.copy(server.bucket(bucket, versions=True))
    with opened(copy) as store:
        put(store, *backup(scratch))
        assert put(store, *backup(scratch)) == 0
        assert [entry.later for entry in store.entries()] == [0, 0, 0]


@pytest.mark.parametrize("page", [1000, 2])
def test_a_removal_leaves_no_version_behind(
    server: Any, bucket: str, scratch: Path, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    monkeypatch.setattr(s3_module, "_PAGE", page)
    copy = server.copy(server.bucket(bucket, versions=True), prefix="p")
    with opened(copy) as store:
        put(store, *backup(scratch))
        other = upload(scratch, "manifest.json", b"x", place=f"{PLACE[:-1]}7")
        put(store, other)
        client = server.client()
        client.put_object(Bucket=bucket, Key=f"p/{PLACE}/manifest.json", Body=b"theirs")
        client.delete_object(Bucket=bucket, Key=f"p/{PLACE}/data")
        store.remove(PLACE, list(store.entries(PLACE)))
        assert names_in(store) == [other.name]
    assert versions_left(server, bucket) == [f"p/{other.name}"]


def test_a_removal_without_versions_removes_the_files(server: Any, bucket: str, scratch: Path) -> None:
    copy = server.copy(server.bucket(bucket))
    with opened(copy) as store:
        put(store, *backup(scratch))
        store.remove(PLACE, list(store.entries(PLACE)))
        assert names_in(store) == []
        store.remove(PLACE, [])


def test_a_locked_file_says_until_when_and_is_not_removed(server: Any, bucket: str, scratch: Path) -> None:
    copy = server.copy(server.bucket(bucket, lock_days=3))
    with opened(copy) as store:
        put(store, *backup(scratch))
        client = server.client()
        client.put_object(Bucket=bucket, Key=f"{PLACE}/manifest.json", Body=b"theirs", ChecksumAlgorithm="SHA256")
        entries = list(store.entries(PLACE))
        for entry in entries:
            until = store.locked_until(entry)
            assert abs(until - datetime.now(timezone.utc) - timedelta(days=3)) < timedelta(minutes=2)
        with pytest.raises(StoreRefused, match=r"removing s3://.*/manifest\.json: AccessDenied.*it is still there"):
            store.remove(PLACE, entries)
        assert names_in(store) == [f"{PLACE}/{name}" for name in NAMES]
        assert content_of(store, store.facts(f"{PLACE}/data")) == b"data as it was"


@pytest.mark.parametrize("mode", ["governance", "compliance"])
def test_a_copy_may_lock_what_it_sends_itself(seaweed: Any, bucket: str, scratch: Path, mode: str) -> None:
    seaweed.client().create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True)
    lock = {"mode": mode, "days": 2}
    large = upload(scratch, "large", 40 << 20)
    with opened(seaweed.copy(bucket, key="granted", lock=lock)) as store:
        assert "s3:PutObjectRetention" in store.policy()
        seaweed.grant(bucket, store.policy())
        put(store, *backup(scratch), large)
    with opened(seaweed.copy(bucket, key="reader")) as store:
        for entry in store.entries():
            until = store.locked_until(entry)
            assert abs(until - datetime.now(timezone.utc) - timedelta(days=2)) < timedelta(minutes=2)
    head = seaweed.client().head_object(Bucket=bucket, Key=large.name)
    assert head["ObjectLockMode"] == mode.upper()


def test_a_file_that_nothing_locks_is_not_locked(server: Any, bucket: str, scratch: Path) -> None:
    copy = server.copy(server.bucket(bucket))
    with opened(copy) as store:
        put(store, *backup(scratch))
        assert [store.locked_until(entry) for entry in store.entries()] == [None] * 3


def known(store: Any) -> dict[str, str]:
    return {right.name: right.known for right in store.rights()}


def test_rights_are_told_without_writing_anything(seaweed: Any, bucket: str, scratch: Path) -> None:
    seaweed.bucket(bucket, lock_days=1)
    with opened(seaweed.copy(bucket, key="admin")) as store:
        assert known(store) == {
            "read": "yes",
            "list": "yes",
            "write": "unknown",
            "versions": "yes",
            "lock": "yes",
            "remove": "unknown",
        }
        assert "default retention: COMPLIANCE, 1 days" in str(store.rights())
        seaweed.grant(bucket, store.policy())
    with opened(seaweed.copy(bucket, key="granted")) as store:
        rights = known(store)
        assert (rights["list"], rights["versions"], rights["lock"]) == ("no", "unknown", "unknown")
        assert rights["read"] == "unknown"
        put(store, *backup(scratch))
        with pytest.raises(StoreRefused, match="no right to do this"):
            names_in(store)
        with pytest.raises(StoreRefused):
            store.remove(PLACE, list(seen_by_admin(seaweed, bucket)))
    assert len(versions_left(seaweed, bucket)) == 3


def seen_by_admin(seaweed: Any, bucket: str) -> list[Any]:
    with opened(seaweed.copy(bucket, key="admin")) as store:
        return list(store.entries())


@pytest.mark.parametrize("kind", [{}, {"versions": True}])
def test_a_bucket_without_versions_or_locks_is_told_of(moto: Any, bucket: str, kind: dict[str, Any]) -> None:
    with opened(moto.copy(moto.bucket(bucket, **kind))) as store:
        rights = known(store)
        assert (rights["versions"], rights["lock"]) == ("yes" if kind else "no", "no")
    assert moto.names(bucket) == []


def test_a_key_that_may_list_versions_sees_the_first_without_being_told_that_there_are_any(
    seaweed: Any, bucket: str, scratch: Path
) -> None:
    seaweed.bucket(bucket, versions=True)
    with opened(seaweed.copy(bucket)) as store:
        put(store, *backup(scratch))
    seaweed.client().put_object(Bucket=bucket, Key=f"{PLACE}/data", Body=b"theirs")
    actions = ["s3:ListBucket", "s3:ListBucketVersions", "s3:GetObject", "s3:GetObjectVersion"]
    resources = [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
    statement = {"Effect": "Allow", "Action": actions, "Resource": resources}
    seaweed.grant(bucket, json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    with opened(seaweed.copy(bucket, key="granted")) as store:
        assert next(right.known for right in store.rights() if right.name == "versions") == "unknown"
        assert content_of(store, store.facts(f"{PLACE}/data")) == b"data as it was"
        assert [entry.later for entry in store.entries()] == [1, 0, 0]

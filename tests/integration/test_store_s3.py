# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a store in S3 does with files: sends them whole or in parts, lists them, reads them, and replaces none."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from backupdb.errors import ArchiveDamaged, StoreError
from backupdb.repository.stores import s3 as s3_module
from support.failing_proxy import Cut, failing
from support.moto_server import Moto
from support.stores import PLACE, content_of, names_in, opened, put, settings_of, upload

pytestmark = pytest.mark.long

MIB = 1 << 20
SMALL = 300_000
LARGE = 41 * MIB  # is sent in three parts


@pytest.fixture(params=["seaweed", "moto"])
def server(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)


@pytest.fixture(params=["plain", "versions", "locked"])
def copy(request: pytest.FixtureRequest, server: Any, bucket: str) -> dict[str, Any]:
    """A copy in a bucket of each kind."""
    kinds: dict[str, dict[str, Any]] = {"plain": {}, "versions": {"versions": True}, "locked": {"lock_days": 1}}
    server.bucket(bucket, **kinds[request.param])
    found: dict[str, Any] = server.copy(bucket, prefix="hosts/of-mine")
    return found


@pytest.fixture
def plain(server: Any, bucket: str) -> dict[str, Any]:
    found: dict[str, Any] = server.copy(server.bucket(bucket), prefix="/hosts/")
    return found


def uploads_begun(server: Any, bucket: str) -> list[Any]:
    return list(server.client().list_multipart_uploads(Bucket=bucket).get("Uploads", ()))


def test_files_of_all_sizes_come_back_as_they_were_and_are_sent_once(copy: dict[str, Any], scratch: Path) -> None:
    files = [upload(scratch, "empty", 0), upload(scratch, "small", SMALL), upload(scratch, "large", LARGE)]
    size = sum(one.size for one in files)
    with opened(copy) as store:
        assert [store.requests_for(one.size) for one in files] == [1, 1, 3]
        assert put(store, *files) == size
        for one in files:
            found = store.facts(one.name)
            assert (found.name, found.size, found.later, found.current) == (one.name, one.size, 0, True)
            assert found.time is not None
            assert hashlib.sha256(content_of(store, found)).hexdigest() == one.sha256
        assert put(store, *files) == 0
    with opened(copy) as another:
        assert put(another, *files) == 0
        assert names_in(another) == [f"{PLACE}/empty", f"{PLACE}/large", f"{PLACE}/small"]
        assert another.facts(f"{PLACE}/small").size == SMALL
        assert another.facts(f"{PLACE}/smaller") is None
        assert another.facts(PLACE) is None


def test_a_file_is_read_from_any_byte_on(plain: dict[str, Any], scratch: Path) -> None:
    one = upload(scratch, "data", SMALL)
    with opened(plain) as store:
        put(store, one)
        for offset in (0, 1, SMALL - 1):
            reader = store.open(store.facts(one.name), offset)
            assert b"".join(iter(lambda reader=reader: reader.read(70_000), b"")) == one.path.read_bytes()[offset:]
            reader.close()


def test_there_are_never_more_parts_than_the_store_takes(server: Any, plain: dict[str, Any], scratch: Path) -> None:
    one = upload(scratch, "data", 100 * MIB)
    with opened(plain, max_parts=3) as store:
        assert store.requests_for(one.size) == 2
        assert put(store, one) == one.size
        assert hashlib.sha256(content_of(store, store.facts(one.name))).hexdigest() == one.sha256


def test_a_file_that_is_too_large_is_refused_before_a_byte_is_sent(plain: dict[str, Any], scratch: Path) -> None:
    one = upload(scratch, "data", SMALL)
    with opened(plain, object_limit="100K") as store:
        with pytest.raises(StoreError, match=r"293.0 KiB, and the store takes at most 100.0 KiB.*dump_jobs"):
            put(store, one)
        assert names_in(store) == []


@pytest.mark.parametrize("size", [SMALL, LARGE])
def test_a_file_that_has_rotted_gets_no_name_and_leaves_nothing_behind(
    server: Any, plain: dict[str, Any], scratch: Path, size: int
) -> None:
    one = upload(scratch, "data", size)
    with one.path.open("r+b") as file:
        file.seek(size - 5)
        byte = file.read(1)
        file.seek(size - 5)
        file.write(bytes([byte[0] ^ 1]))
    with opened(plain) as store:
        with pytest.raises(ArchiveDamaged, match=r"data is not what its manifest says.*not copied.*new backup"):
            put(store, one)
        assert names_in(store) == []
        assert store.facts(one.name) is None
        assert store.notes.get(one.name) is None
    assert uploads_begun(server, plain["options"]["bucket"]) == []


def test_a_file_of_another_length_is_not_sent(plain: dict[str, Any], scratch: Path) -> None:
    one = upload(scratch, "data", SMALL)
    with opened(plain) as store, pytest.raises(ArchiveDamaged, match=r"has 300000 bytes, the manifest says 300001"):
        put(store, replace(one, size=SMALL + 1))


@pytest.mark.parametrize("size", [SMALL, LARGE])
@pytest.mark.parametrize("may_look", [True, False])
def test_what_somebody_else_has_put_there_is_not_replaced(
    seaweed: Any, bucket: str, scratch: Path, size: int, may_look: bool
) -> None:
    seaweed.bucket(bucket)
    one = upload(scratch, "data", size)
    seaweed.client().put_object(Bucket=bucket, Key=one.name, Body=b"theirs")
    with opened(seaweed.copy(bucket, key="host" if may_look else "writer")) as store:
        if may_look:
            with pytest.raises(StoreError, match=r"is there, and is something else \(6 bytes.*nothing is replaced"):
                put(store, one)
        else:
            put(store, one)  # it is told that there is something, and may not look
    assert seaweed.client().get_object(Bucket=bucket, Key=one.name)["Body"].read() == b"theirs"
    assert uploads_begun(seaweed, bucket) == []


def test_what_comes_in_between_is_not_replaced_either(
    server: Any, plain: dict[str, Any], scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The look before sees nothing; that nothing is replaced is then for the store to say."""
    bucket = plain["options"]["bucket"]
    for name, size in (("small", SMALL), ("large", LARGE)):
        one = upload(scratch, name, size)
        with opened(plain) as store:
            look, looks = store.head, []

            def head(name: str, version: str | None = None) -> Any:
                looks.append(name)  # noqa: B023  # called within this round
                if len(looks) == 1:  # noqa: B023
                    server.client().put_object(Bucket=bucket, Key=f"hosts/{name}", Body=b"theirs")
                    return None
                return look(name, version)  # noqa: B023

            monkeypatch.setattr(store, "head", head)
            with pytest.raises(StoreError, match="something else"):
                put(store, one)
        assert server.client().get_object(Bucket=bucket, Key=f"hosts/{one.name}")["Body"].read() == b"theirs"
    assert uploads_begun(server, bucket) == []


def test_lists_are_read_over_all_pages_in_order_from_any_name_on(
    server: Any, copy: dict[str, Any], scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3_module, "_PAGE", 2)
    places = [f"db{host}/i/d/2026112{day}T021500Z-3f0c9a52" for host in (1, 10, 2) for day in (1, 2)]
    with opened(copy) as store:
        for place in places:
            put(store, *[upload(scratch, name, b"x", place=place) for name in ("data", "manifest.json")])
        every = sorted(f"{place}/{name}" for place in places for name in ("data", "manifest.json"))
        assert names_in(store) == every
        assert names_in(store, "db1") == [name for name in every if name.startswith("db1/")]
        assert names_in(store, "db1/i/d/") == [name for name in every if name.startswith("db1/")]
        assert names_in(store, "db1", f"{places[0]}/manifest.json") == [name for name in every if places[1] in name]
        if not (
            isinstance(server, Moto) and store.keeps_versions()
        ):  # moto loses the first one behind a name that is not there
            assert names_in(store, "db1/i/d", "db1/i/d/20261122T021500Z") == [
                name for name in every if places[1] in name
            ]
        assert names_in(store, "nothing") == []


def test_a_list_that_breaks_off_is_no_list(
    seaweed: Any, bucket: str, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3_module, "_PAGE", 2)
    seaweed.bucket(bucket)
    with (
        failing("127.0.0.1", seaweed.port) as proxy,
        opened(seaweed.copy(bucket, endpoint=proxy.url), patience=1) as store,
    ):
        put(store, *[upload(scratch, f"f{number}", b"x") for number in range(5)])
        proxy.fault = lambda request: Cut() if "continuation-token" in request.target else None
        with pytest.raises(StoreError, match=r"listing s3://.*tried again for 1\.0 s"):
            names_in(store)


def test_a_reader_goes_on_where_connections_break(seaweed: Any, bucket: str, scratch: Path) -> None:
    seaweed.bucket(bucket)
    one = upload(scratch, "data", 8 * MIB)
    with failing("127.0.0.1", seaweed.port) as proxy, opened(seaweed.copy(bucket, endpoint=proxy.url)) as store:
        put(store, one)
        found = store.facts(one.name)
        proxy.fault = lambda request: Cut(3 * MIB, answer=True) if request.method == "GET" else None
        assert hashlib.sha256(content_of(store, found)).hexdigest() == one.sha256
        ranges = [request.headers.get("Range") for request in proxy.of("GET", "data")]
    assert ranges[0] is None
    assert len(ranges) == 3
    assert all(int(str(begin)[len("bytes=") : -1]) > 2 * MIB for begin in ranges[1:])


def test_a_copy_is_called_by_its_bucket_and_prefix(plain: dict[str, Any]) -> None:
    with opened(plain) as store:
        bucket = settings_of(plain).place["bucket"]
        assert store.where() == f"s3://{bucket}/hosts"
        assert store.where("db1/x") == f"s3://{bucket}/hosts/db1/x"
        assert f"arn:aws:s3:::{bucket}/hosts/*" in store.policy()

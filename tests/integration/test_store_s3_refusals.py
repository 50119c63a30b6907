# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a store in S3 says when a key, a bucket, an address, a certificate or a clock is wrong, and what decides it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from backupdb.errors import BackupDbError, InvalidOption, StoreError, StoreRefused, StoreUnavailable
from backupdb.repository.stores import s3_client
from support.failing_proxy import Answer, FailingProxy
from support.moto_server import Moto
from support.private_server import free_port
from support.stores import content_of, names_in, opened, put, settings_of, upload
from support.tls import CertificateAuthority


@pytest.fixture
def copy(seaweed: Any, bucket: str) -> dict[str, Any]:
    found: dict[str, Any] = seaweed.copy(seaweed.bucket(bucket))
    return found


@pytest.fixture(scope="module")
def trusted() -> Iterator[Moto]:
    """A store with a certificate."""
    server = Moto(tls=True).start()
    yield server
    server.kill()


def sending(copy: dict[str, Any], scratch: Path, **changes: Any) -> BackupDbError:
    """The error of sending a file, which also stands for reading a list."""
    with opened(copy, patience=1, **changes) as store:
        with pytest.raises(StoreError) as caught:
            put(store, upload(scratch, "data", 1000))
        with pytest.raises(type(caught.value)):
            names_in(store)
    return caught.value


@pytest.mark.parametrize(
    ("secrets", "said"),
    [
        ({"access_key_id": "no-such-key", "secret_access_key": "whatever-secret"}, "InvalidAccessKeyId"),
        ({"access_key_id": "host-access", "secret_access_key": "wrong-secret"}, "SignatureDoesNotMatch"),
    ],
)
def test_a_wrong_key_is_told_and_its_secret_is_not(
    copy: dict[str, Any], scratch: Path, secrets: dict[str, str], said: str
) -> None:
    wrong = {**copy, "secrets": secrets}
    error = sending(wrong, scratch)
    assert isinstance(error, StoreRefused)
    assert f"the key is not accepted ({said}" in str(error)
    assert "look at the credentials, copies.offsite" in str(error)
    settings = settings_of(wrong)
    with opened(wrong) as store, pytest.raises(StoreRefused, match=said):
        store.rights()
    for text in (str(error), repr(error), repr(settings), str(settings), repr(store)):
        assert secrets["secret_access_key"] not in text


def test_a_key_that_was_revoked_is_refused_at_once(
    seaweed: Any, proxy: FailingProxy, bucket: str, scratch: Path
) -> None:
    copy = seaweed.copy(seaweed.bucket(bucket), endpoint=proxy.url)
    with opened(copy, patience=60) as store:
        put(store, upload(scratch, "data", 1000))
        proxy.reset()
        proxy.fault = lambda _request: Answer(403, "InvalidAccessKeyId")
        with pytest.raises(StoreRefused, match="the key is not accepted"):
            put(store, upload(scratch, "more", 1000))
        assert len(proxy.requests) == 2  # one look, and one attempt to send


def test_a_bucket_that_is_not_there_is_named(moto: Moto, scratch: Path) -> None:
    error = sending(moto.copy("no-such-bucket"), scratch)
    assert isinstance(error, StoreRefused)
    assert "there is no bucket no-such-bucket; make it, or mend the option bucket" in str(error)


def test_a_server_that_is_not_there_is_named(copy: dict[str, Any], scratch: Path) -> None:
    port = free_port()
    error = sending(copy, scratch, endpoint=f"http://127.0.0.1:{port}")
    assert isinstance(error, StoreUnavailable)
    assert f"127.0.0.1:{port}" in str(error)
    error = sending(copy, scratch, endpoint="http://no-such-host.invalid:9")
    assert isinstance(error, StoreUnavailable)
    assert "no-such-host.invalid" in str(error)


@pytest.mark.parametrize("endpoint", ["127.0.0.1:9", "not an address", "ftp//x"])
def test_an_address_that_is_none_is_an_option_that_is_wrong(copy: dict[str, Any], endpoint: str) -> None:
    with pytest.raises(InvalidOption, match="offsite"), opened(copy, endpoint=endpoint):
        pass


def test_a_certificate_has_to_be_trusted(trusted: Moto, bucket: str, scratch: Path) -> None:
    copy = trusted.copy(trusted.bucket(bucket))
    error = sending(copy, scratch)
    assert isinstance(error, StoreRefused)
    assert "the server's certificate is not trusted; set ca_cert" in str(error)
    stranger = CertificateAuthority(scratch / "stranger")
    assert isinstance(sending(copy, scratch, ca_cert=str(stranger.certificate)), StoreRefused)
    assert trusted.authority is not None
    with opened(copy, ca_cert=str(trusted.authority.certificate)) as store:
        one = upload(scratch, "data", 1000)
        put(store, one)
        assert content_of(store, store.facts(one.name)) == one.path.read_bytes()


def test_a_certificate_file_that_is_not_there_or_none_is_told(copy: dict[str, Any], scratch: Path) -> None:
    said = r"copy offsite: ca_cert /nowhere/ca\.pem is not a file"
    with pytest.raises(InvalidOption, match=said), opened(copy, ca_cert="/nowhere/ca.pem"):
        pass


def test_clocks_that_differ_are_told_with_how_much(
    seaweed: Any, proxy: FailingProxy, bucket: str, scratch: Path
) -> None:
    copy = seaweed.copy(seaweed.bucket(bucket), endpoint=proxy.url)
    for ahead, word in ((605, "behind"), (-605, "ahead of")):
        proxy.fault = lambda _request, ahead=ahead: Answer(403, "RequestTimeTooSkewed", seconds_ahead=ahead)
        with (
            opened(copy, patience=60) as store,
            pytest.raises(
                StoreRefused,
                match=rf"the clocks differ: this host's is 10 min.* {word} the store's; set this host's clock",
            ),
        ):
            names_in(store)


@pytest.mark.parametrize(
    ("status", "code"), [(507, "InsufficientStorage"), (403, "QuotaExceeded"), (400, "XMinioStorageFull")]
)
def test_a_store_that_is_full_says_so_at_once(
    seaweed: Any, proxy: FailingProxy, bucket: str, scratch: Path, status: int, code: str
) -> None:
    copy = seaweed.copy(seaweed.bucket(bucket), endpoint=proxy.url)
    proxy.fault = lambda request: Answer(status, code) if request.method == "PUT" else None
    with opened(copy, patience=60) as store, pytest.raises(StoreError, match=r"full, or over its quota.*make room"):
        put(store, upload(scratch, "data", 1000))


def test_a_file_that_the_store_finds_too_large_is_no_lack_of_room(
    seaweed: Any, proxy: FailingProxy, bucket: str, scratch: Path
) -> None:
    copy = seaweed.copy(seaweed.bucket(bucket), endpoint=proxy.url)
    proxy.fault = lambda request: Answer(400, "EntityTooLarge") if request.method == "PUT" else None
    with opened(copy, patience=60) as store, pytest.raises(StoreError, match=r"EntityTooLarge.*object_limit"):
        put(store, upload(scratch, "data", 1000))


def test_a_store_that_does_not_know_the_condition_is_asked_without(
    seaweed: Any, proxy: FailingProxy, bucket: str, scratch: Path
) -> None:
    copy = seaweed.copy(seaweed.bucket(bucket), endpoint=proxy.url)
    proxy.fault = lambda request: Answer(501, "NotImplemented") if "If-None-Match" in request.headers else None
    with opened(copy) as store:
        files = [upload(scratch, "data", 1000), upload(scratch, "large", 40 << 20)]
        put(store, *files)
        assert all(content_of(store, store.facts(one.name)) == one.path.read_bytes() for one in files)
    assert sum("If-None-Match" in request.headers for request in proxy.requests) == 1


NONSENSE = {
    "AWS_PROFILE": "nonsense",
    "AWS_DEFAULT_PROFILE": "nonsense",
    "AWS_CA_BUNDLE": "/nowhere/ca.pem",
    "REQUESTS_CA_BUNDLE": "/nowhere/ca.pem",
    "CURL_CA_BUNDLE": "/nowhere/ca.pem",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
    "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1",
    "AWS_ACCESS_KEY_ID": "nonsense",
    "AWS_SECRET_ACCESS_KEY": "nonsense",
    "AWS_SESSION_TOKEN": "nonsense",
    "AWS_REGION": "nowhere-1",
    "AWS_DEFAULT_REGION": "nowhere-1",
    "AWS_CONFIG_FILE": "/nowhere/config",
    "AWS_USE_FIPS_ENDPOINT": "true",
    "AWS_USE_DUALSTACK_ENDPOINT": "true",
    "AWS_MAX_ATTEMPTS": "17",
    "AWS_REQUEST_CHECKSUM_CALCULATION": "when_supported",
    "BOTO_CONFIG": "/nowhere/boto",
    **{name: "http://127.0.0.1:1" for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy")},
}


@pytest.mark.parametrize("tls", [False, True])
def test_nothing_in_the_environment_decides_anything(
    seaweed: Any, trusted: Moto, bucket: str, scratch: Path, monkeypatch: pytest.MonkeyPatch, tls: bool
) -> None:
    server: Any = trusted if tls else seaweed
    more: dict[str, Any] = {"ca_cert": str(trusted.folder / "authority" / "ca.pem")} if tls else {}
    copy = server.copy(server.bucket(bucket), **more)
    for name, value in NONSENSE.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("HOME", str(scratch))
    (scratch / ".aws").mkdir()
    (scratch / ".aws" / "config").write_text("[default]\nregion = nowhere-1\nendpoint_url = http://127.0.0.1:1\n")
    before = dict(os.environ)
    with opened(copy) as store:
        assert dict(os.environ) == before
        files = [upload(scratch, "data", 1000), upload(scratch, "large", 40 << 20)]
        put(store, *files)
        assert all(content_of(store, store.facts(one.name)) == one.path.read_bytes() for one in files)
        assert len(names_in(store)) == 2


def test_keys_of_the_environment_are_not_used_where_none_are_given(
    copy: dict[str, Any], scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", copy["secrets"]["access_key_id"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", copy["secrets"]["secret_access_key"])
    error = sending({**copy, "secrets": {}}, scratch)
    assert isinstance(error, StoreRefused)
    assert "there is no access key, and this machine has no role of its own" in str(error)
    assert "under copies.offsite" in str(error)


def test_a_proxy_is_used_when_it_is_an_option(copy: dict[str, Any], scratch: Path) -> None:
    error = sending(copy, scratch, proxy=f"http://127.0.0.1:{free_port()}")
    assert isinstance(error, StoreUnavailable)
    assert "proxy" in str(error).lower()


def test_timeouts_are_what_they_are_called(copy: dict[str, Any]) -> None:
    with opened(copy) as store:
        config = store.client.meta.config
        assert (config.connect_timeout, config.read_timeout) == (s3_client._CONNECT_TIMEOUT, s3_client._READ_TIMEOUT)


def test_a_machine_without_a_key_and_a_role_is_told_so(copy: dict[str, Any]) -> None:
    with opened({**copy, "secrets": {}}) as store:
        with pytest.raises(StoreRefused, match=r"there is no access key.*copies\."):
            store.rights()
        with pytest.raises(StoreRefused, match="there is no access key"):
            list(store.entries())

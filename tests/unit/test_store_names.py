# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names in a store of copies, and where a copy over SFTP goes."""

from __future__ import annotations

import os
from typing import Any

import pytest
from backupdb.errors import InvalidOption, StoreError, StoreRefused, StoreUnavailable
from backupdb.repository import layout
from backupdb.repository.stores.names import check_folder, check_name
from backupdb.repository.stores.patience import Patience
from backupdb.repository.stores.registry import open_store
from backupdb.repository.stores.settings import copy_from
from backupdb.repository.stores.sftp_ssh import Address, address_from, lost_error

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBDt5L+NVMX162W0cHyxI8jP0+nRrFafxXzprvGXwj58"
ADDRESS = Address("vault.example.com", 2222, "copies", (KEY,), "/etc/backupdb/key")
SFTP = {
    "name": "v",
    "type": "sftp",
    "host": "vault.example.com",
    "user": "copies",
    "path": "/copies",
    "host_key": [KEY],
}


@pytest.mark.parametrize(
    "name", ["shop", "Shop", "..", ".x", "-", "a/b", "ü ☃", "x" * 500, "\0\n", os.fsdecode(b"\xff")]
)
def test_all_that_the_layout_makes_is_a_name(name: str) -> None:
    path = f"{layout.encode_name(name)}/{layout.ACCOUNTS_FOLDER}/20261124T021500Z-3f0c9a52/{layout.MANIFEST_FILE}"
    assert check_name(path) == path
    assert check_folder(f"{path}/") == path


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/",
        "/a",
        "a/",
        "a//b",
        ".",
        "..",
        "a/..",
        "../a",
        ".a",
        "a/.b",
        "a\n",
        "a\0",
        "\x1b[2J",
        "a" * 256,
        "ü" * 128,
        os.fsdecode(b"a/\xff"),
    ],
)
def test_all_else_that_could_lead_elsewhere_or_disturb_is_none(name: str) -> None:
    with pytest.raises(StoreError, match="is not the name of a file") as caught:
        check_name(name)
    assert str(caught.value).isprintable()


def test_the_top_is_a_folder_without_a_name() -> None:
    assert check_folder("") == ""
    with pytest.raises(StoreError):
        check_folder("/")


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("host", "-oProxyCommand=touch /tmp/x"),
        ("host", "a b"),
        ("host", "user@host"),
        ("host", "a\n"),
        ("user", "-x"),
        ("user", "a b"),
        ("user", ""),
        ("host_key", []),
        ("host_key", ["vault.example.com"]),
        ("host_key", [f"{KEY}\n* {KEY}"]),
        ("host_key", [KEY[:-1]]),
        ("host_key", [f"@cert-authority * {KEY}"]),
        ("host_key", ["ssh-ed25519 AAAA"]),
    ],
)
def test_options_that_ssh_could_take_for_something_else_are_refused(option: str, value: Any) -> None:
    with pytest.raises(InvalidOption, match=rf"copy v\.{option}"):
        open_store(copy_from({**SFTP, option: value}, "copies[0]"), Patience(0))


@pytest.mark.parametrize(
    ("options", "written"),
    [
        ({}, "sftp://copies@vault.example.com/copies/db1"),
        ({"port": 2222}, "sftp://copies@vault.example.com:2222/copies/db1"),
        ({"host": "Vault"}, "sftp://copies@vault/copies/db1"),
        ({"host": "2001:db8::1"}, "sftp://copies@[2001:db8::1]/copies/db1"),
        ({"user": "u123456-sub1"}, "sftp://u123456-sub1@vault.example.com/copies/db1"),
        ({"path": "/"}, "sftp://copies@vault.example.com/db1"),
        ({"path": "/a/b/"}, "sftp://copies@vault.example.com/a/b/db1"),
    ],
)
def test_where_it_is_is_written_as_an_address(options: dict[str, Any], written: str) -> None:
    assert open_store(copy_from({**SFTP, **options}, "copies[0]"), Patience(0)).where("db1") == written


def test_fingerprints_are_those_of_ssh_keygen() -> None:
    key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"  # github.com's
    address = address_from({"host": "h", "port": 22, "user": "u", "host_key": [key], "key_file": None}, "copy")
    assert address.fingerprints() == "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU"


@pytest.mark.parametrize(
    ("said", "kind", "told"),
    [
        ("ssh: connect to host v port 22: Connection timed out", StoreUnavailable, "does not answer"),
        ("ssh: connect to host v port 22: No route to host", StoreUnavailable, "does not answer"),
        ("ssh: Could not resolve hostname v: Name or service not known", StoreUnavailable, "is not known here"),
        ("Connection reset by 10.0.0.1 port 22", StoreUnavailable, "its own log says why"),
        ("kex_exchange_identification: Connection closed by remote host", StoreUnavailable, "too many connections"),
        ("subsystem request failed on channel 0", StoreRefused, "Subsystem sftp internal-sftp"),
        ("Unable to negotiate with v: no matching host key type found. Their offer: ssh-dss", StoreRefused, "encrypt"),
        ("No ED25519 host key is known for v and you have requested strict checking.", StoreRefused, "of another kind"),
        ("Received disconnect from v: 2: Too many authentication failures", StoreRefused, "lets nobody in"),
        ("No user exists for uid 12345", StoreRefused, "give it an account"),
    ],
)
def test_what_ssh_says_becomes_an_error_that_says_what_to_do(said: str, kind: type[StoreError], told: str) -> None:
    error = lost_error(ADDRESS, [said], "the connection ended", beginning=True)
    assert error.__class__ is kind
    assert told in str(error)
    assert "sftp://copies@vault.example.com:2222" in str(error)

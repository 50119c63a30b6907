# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The credential store: encrypted, private, never lost, and readable from and for VYA BackupDB v2."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import socket
import stat
from pathlib import Path
from typing import Any

import pytest
from backupdb.credentials.change import StoreChange, change
from backupdb.credentials.secrets import read_secrets
from backupdb.credentials.store import Login, key_file_of, login_of, open_store, read_store
from backupdb.errors import CredentialsMissing, InvalidOption
from cryptography.fernet import Fernet
from support import needs

PASSWORD = "pä$$ 'w\"ord-4711-\U0001f511"
LOGIN = Login(user="backupdb", password=PASSWORD)


def v2_key(host_name: str) -> Fernet:
    """Return the key as VYA BackupDB v2 makes it, by the words of its description and none of our code."""
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(host_name.encode()).digest()))


def token(host_name: str, text: str) -> str:
    return v2_key(host_name).encrypt(text.encode()).decode()


def v2_file(path: Path, entries: Any) -> Path:
    path.write_text(json.dumps(entries, indent=2))
    return path


def v2_vault(path: Path, host_name: str, logins: dict[str, tuple[str, str]]) -> Path:
    credentials = {
        name: {
            "username": token(host_name, user),
            "password": token(host_name, password),
            "metadata": {"created_at": "2026-01-15T15:00:00+00:00", "description": "Production"},
        }
        for name, (user, password) in logins.items()
    }
    content = json.dumps({"version": "1.0.0", "credentials": credentials})
    path.write_bytes(v2_key(host_name).encrypt(content.encode()))
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "etc").mkdir(mode=0o700)
    return tmp_path / "etc" / "credentials.json"


def store(path: Path, **options: Any) -> dict[str, Any]:
    return change(StoreChange(path=path, **options), check_mode=False)


def state(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_a_login_comes_back_as_it_was_stored_and_neither_file_shows_it(path: Path) -> None:
    assert store(path, id="shop-pg", login=LOGIN)["changed"]
    assert login_of(read_store(path), "shop-pg") == LOGIN
    assert login_of(read_store(path), "other") is None
    for file in (path, key_file_of(path)):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert b"word-4711" not in file.read_bytes()
    assert PASSWORD not in repr(read_store(path))
    assert PASSWORD not in repr(LOGIN)


def test_storing_the_same_login_again_changes_no_byte(path: Path) -> None:
    store(path, id="shop-pg", login=LOGIN)
    before = state(path.parent)
    again = store(path, id="shop-pg", login=LOGIN)
    assert not again["changed"]
    assert again["diff"]["before"] == again["diff"]["after"]
    assert state(path.parent) == before


def test_one_login_changes_and_the_others_stay_as_they_are(path: Path) -> None:
    store(path, id="shop-pg", login=LOGIN)
    store(path, id="wiki-db", login=LOGIN)
    before = json.loads(path.read_text())
    changed = store(path, id="wiki-db", login=Login(user="backupdb", password="new"))
    assert changed["changed"]
    assert changed["diff"]["before"] != changed["diff"]["after"]
    assert "new" not in changed["diff"]["after"]
    assert json.loads(path.read_text())["shop-pg"] == before["shop-pg"]
    assert login_of(read_store(path), "wiki-db") == Login(user="backupdb", password="new")
    assert store(path, id="wiki-db", present=False)["ids"] == ["shop-pg"]
    assert not store(path, id="wiki-db", present=False)["changed"]


def test_check_mode_tells_the_change_and_makes_none(path: Path) -> None:
    foreseen = change(StoreChange(path=path, id="shop-pg", login=LOGIN), check_mode=True)
    assert foreseen["changed"]
    assert foreseen["diff"] == {"before": "", "after": "shop-pg: backupdb, password\n"}
    assert state(path.parent) == {}
    elsewhere = path.parent / "not-there" / "credentials.json"
    assert change(StoreChange(path=elsewhere, id="shop-pg", login=LOGIN), check_mode=True)["changed"]
    with pytest.raises(CredentialsMissing, match="make it first"):
        store(elsewhere, id="shop-pg", login=LOGIN)


def test_a_login_without_a_password_is_one(path: Path) -> None:
    store(path, id="shop-pg", login=Login(user="backupdb"))
    assert login_of(read_store(path), "shop-pg") == Login(user="backupdb")
    assert not store(path, id="shop-pg", login=Login(user="backupdb"))["changed"]


def test_a_store_of_version_2_is_read_where_it_lies(path: Path) -> None:
    v2_file(
        path,
        {
            "shop": {"username": "root", "password": token(socket.gethostname(), PASSWORD), "encrypted": True},
            "wiki": {"username": "wiki", "password": "plain", "encrypted": False},
        },
    )
    path.chmod(0o600)
    secrets = read_secrets("store", str(path), {})
    assert secrets.login("shop") == {"login_user": "root", "login_password": PASSWORD}
    assert secrets.login("wiki") == {"login_user": "wiki", "login_password": "plain"}


def test_version_2_could_read_what_is_written_with_the_key_of_the_host_name(path: Path) -> None:
    store(path, id="shop", login=LOGIN, key="hostname")
    entry = json.loads(path.read_text())["shop"]
    assert entry["username"] == "backupdb"
    assert entry["encrypted"] is True
    assert v2_key(socket.gethostname()).decrypt(entry["password"].encode()).decode() == PASSWORD
    assert not key_file_of(path).exists()


def test_logins_of_both_files_of_version_2_are_taken_over_once_with_a_random_key(path: Path, tmp_path: Path) -> None:
    flat = v2_file(
        tmp_path / "old.json",
        {"1": {"username": "root", "password": token("old-host", "one"), "encrypted": True}, "2": {"username": "two"}},
    )
    vault = v2_vault(tmp_path / "vault.json.enc", "old-host", {"3": ("dreï", "three"), "1": ("x", "y")})
    first = store(path, import_from=flat, import_host_name="old-host")
    assert (first["changed"], first["imported"], first["kept"]) == (True, ["1", "2"], [])
    store(path, id="1", login=Login(user="root", password="newer"))
    second = store(path, import_from=vault, import_host_name="old-host")
    assert (second["changed"], second["imported"], second["kept"]) == (True, ["3"], ["1"])
    before = state(path.parent)
    assert not store(path, import_from=flat, import_host_name="old-host")["changed"]
    assert state(path.parent) == before
    found = read_store(path)
    assert login_of(found, "1") == Login(user="root", password="newer")
    assert login_of(found, "2") == Login(user="two")
    assert login_of(found, "3") == Login(user="dreï", password="three")


def test_a_file_of_another_host_says_that_its_name_is_the_key(path: Path, tmp_path: Path) -> None:
    vault = v2_vault(tmp_path / "vault.json.enc", "old-host", {"a": ("b", "c")})
    flat = v2_file(tmp_path / "a.json", {"a": {"username": "b", "password": token("old-host", "c"), "encrypted": True}})
    for file in (vault, flat):
        with pytest.raises(CredentialsMissing, match="name of the host that wrote it"):
            store(path, import_from=file, import_host_name="new-host")
    assert state(path.parent) == {}


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", '{"a": 1}', '{"a": {"username": 1}}', '{"a": {"password": ["SECRET"]}}', '"SECRET"', "[" * 9999],
)
def test_a_damaged_store_is_refused_without_a_word_of_its_content(path: Path, content: str) -> None:
    path.touch(mode=0o600)
    path.write_text(content)
    for attempt in (lambda: read_store(path), lambda: store(path, id="a", login=LOGIN)):
        with pytest.raises(CredentialsMissing) as caught:
            attempt()
        assert str(path) in str(caught.value)
        assert "SECRET" not in str(caught.value)
    assert path.read_text() == content


def test_a_damaged_or_foreign_password_is_told_by_the_instance(path: Path) -> None:
    store(path, id="shop-pg", login=LOGIN)
    entries = json.loads(path.read_text())
    path.write_text(json.dumps({"shop-pg": {**entries["shop-pg"], "password": "gAAAAAB-broken"}}))
    with pytest.raises(CredentialsMissing, match="'shop-pg'"):
        read_secrets("store", str(path), {})
    path.write_text(json.dumps(entries))
    key_file_of(path).write_bytes(Fernet.generate_key())
    with pytest.raises(CredentialsMissing, match="is another one"):
        read_secrets("store", str(path), {})


def test_a_key_that_is_gone_or_damaged_never_makes_a_new_one(path: Path) -> None:
    store(path, id="shop-pg", login=LOGIN)
    key = key_file_of(path).read_bytes()
    key_file_of(path).write_bytes(b"short")
    with pytest.raises(CredentialsMissing, match="does not hold a key"):
        store(path, id="shop-pg", login=LOGIN)
    key_file_of(path).unlink()
    with pytest.raises(InvalidOption, match="bring that back"):
        store(path, id="wiki-db", login=LOGIN)
    with pytest.raises(CredentialsMissing, match="cannot be decrypted"):
        read_secrets("store", str(path), {})
    key_file_of(path).touch(mode=0o600)
    key_file_of(path).write_bytes(key)
    assert login_of(read_store(path), "shop-pg") == LOGIN
    with pytest.raises(InvalidOption, match="use key: file"):
        open_store(path, key="hostname")


@pytest.mark.parametrize("which", ["store", "key"])
def test_a_store_that_others_can_reach_is_not_used(path: Path, which: str) -> None:
    store(path, id="shop-pg", login=LOGIN)
    file = path if which == "store" else key_file_of(path)
    file.chmod(0o640)
    with pytest.raises(CredentialsMissing, match="chmod 0600"):
        read_secrets("store", str(path), {})
    with pytest.raises(CredentialsMissing, match="chmod 0600"):
        store(path, id="shop-pg", login=LOGIN)


def test_root_changes_the_store_of_another_user_who_keeps_it(path: Path) -> None:
    needs.root("only root gives files away")
    store(path, id="shop-pg", login=LOGIN)
    for file in (path, key_file_of(path)):
        os.chown(file, 65534, 65534)
    assert store(path, id="wiki-db", login=LOGIN)["changed"]
    assert (path.stat().st_uid, path.stat().st_gid, stat.S_IMODE(path.stat().st_mode)) == (65534, 65534, 0o600)
    with pytest.raises(CredentialsMissing, match="belong to uid 65534"):
        read_secrets("store", str(path), {})


def test_a_store_cannot_have_the_name_of_its_key(path: Path) -> None:
    with pytest.raises(InvalidOption, match=r"NAME\.json"):
        store(path.with_suffix(".key"), id="a", login=LOGIN)

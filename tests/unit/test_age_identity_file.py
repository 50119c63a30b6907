# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Identity files: published whole and private, never replaced, read with clear errors."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

import pytest
from backupdb.age.identity_file import (
    generate_identity,
    parse_identities,
    read_identity_file,
    write_identity_file,
)
from backupdb.errors import InvalidOption


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "identity.txt"
    write_identity_file(str(path), generate_identity())
    return path


def test_a_written_file_reads_back_and_looks_like_the_one_of_age_keygen(tmp_path: Path) -> None:
    identity, path = generate_identity(), tmp_path / "identity.txt"
    written = write_identity_file(str(path), identity)
    lines = path.read_text().splitlines()
    assert re.fullmatch(r"# created: \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", lines[0])
    assert lines[1:] == [f"# public key: {identity.recipient}", identity.reveal()]
    found = read_identity_file(str(path))
    assert [one.recipient for one in found.identities] == [identity.recipient]
    assert found.created == written.created == lines[0][11:]
    assert not found.open_to_others


def test_a_new_file_is_private_under_any_umask_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        write_identity_file(str(tmp_path / "identity.txt"), generate_identity())
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "identity.txt").stat().st_mode) == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["identity.txt"]


def test_an_existing_file_is_never_replaced(key_file: Path) -> None:
    before = key_file.read_bytes()
    with pytest.raises(InvalidOption, match="exists already"):
        write_identity_file(str(key_file), generate_identity())
    assert key_file.read_bytes() == before
    assert len(list(key_file.parent.iterdir())) == 1


def test_a_dangling_link_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "identity.txt").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InvalidOption, match="exists already"):
        write_identity_file(str(tmp_path / "identity.txt"), generate_identity())
    assert not (tmp_path / "elsewhere").exists()


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidOption, match=r"directory .*/nowhere does not exist"):
        write_identity_file(str(tmp_path / "nowhere" / "identity.txt"), generate_identity())


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o620])
def test_a_file_open_to_others_is_refused_with_the_command_that_helps(key_file: Path, mode: int) -> None:
    key_file.chmod(mode)
    with pytest.raises(InvalidOption, match=f"chmod 0600 {re.escape(str(key_file))}"):
        read_identity_file(str(key_file))
    assert read_identity_file(str(key_file), must_be_private=False).open_to_others


def test_comments_blank_lines_and_several_identities_are_read() -> None:
    one, two = generate_identity(), generate_identity()
    text = f"# a comment\n\n  {one.reveal()}  \r\n# another\n{two.reveal()}\n\n"
    assert [key.recipient for key in parse_identities(text, where="here")] == [one.recipient, two.recipient]


def test_a_broken_line_is_named_by_its_number_and_not_shown() -> None:
    good = generate_identity().reveal()
    with pytest.raises(InvalidOption, match=r"here, line 3: .*checksum") as caught:
        parse_identities(f"# comment\n{good}\n{good[:-2]}QQ\n", where="here")
    assert good[20:40] not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no identity"),
        (b"# only a comment\n", "no identity"),
        (b"age-encryption.org/v1\n", "encrypted themselves"),
        (b"-----BEGIN AGE ENCRYPTED FILE-----\n", "encrypted themselves"),
        (b"\xff\xfe", "not a text file"),
        (b"#" * (1024 * 1024 + 1), "larger than"),
        (b"AGE-PLUGIN-YUBIKEY-1QQQQ\n", "line 1"),
    ],
)
def test_a_file_that_is_no_identity_file_says_why(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "identity.txt"
    path.touch(mode=0o600)
    path.write_bytes(content)
    with pytest.raises(InvalidOption, match=reason) as caught:
        read_identity_file(str(path))
    assert str(path) in str(caught.value)


def test_a_missing_file_and_a_directory_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(InvalidOption, match="does not exist"):
        read_identity_file(str(tmp_path / "nothing"))
    with pytest.raises(InvalidOption, match="cannot be read: Is a directory"):
        read_identity_file(str(tmp_path))

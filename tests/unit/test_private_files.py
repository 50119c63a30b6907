# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private files: closed to others from their creation, complete or absent, never through a link."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from backupdb.repository.files import publish_folder
from backupdb.system import files


@pytest.fixture(autouse=True)
def open_umask() -> Iterator[None]:
    """Nothing here may rest on the umask."""
    before = os.umask(0)
    yield
    os.umask(before)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_new_file_is_private_and_an_existing_one_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key"
    files.write_file(path, b"one")
    assert (path.read_bytes(), mode_of(path)) == (b"one", 0o600)
    with pytest.raises(FileExistsError):
        files.write_file(path, b"two")
    assert path.read_bytes() == b"one"


def test_nothing_is_written_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for write in (files.write_file, files.link_new_file):
        with pytest.raises(FileExistsError):
            write(tmp_path / "link", b"secret")
    files.replace_file(tmp_path / "link", b"secret")
    assert not (tmp_path / "elsewhere").exists() and not (tmp_path / "link").is_symlink()
    assert names_in(tmp_path) == ["link"]


@pytest.mark.parametrize("options", [{}, {"alone": True}, {"durable": False}, {"keep_owner": True}])
def test_a_replaced_file_is_private_and_nothing_is_left_beside_it(tmp_path: Path, options: dict[str, Any]) -> None:
    path = tmp_path / "record.json"
    path.write_bytes(b"old")
    files.replace_file(path, b"new", **options)
    assert (path.read_bytes(), mode_of(path), names_in(tmp_path)) == (b"new", 0o600, ["record.json"])


def test_a_mode_is_set_whatever_the_umask_is(tmp_path: Path) -> None:
    os.umask(0o077)
    files.replace_file(tmp_path / "metrics.prom", b"", mode=0o644)
    assert mode_of(tmp_path / "metrics.prom") == 0o644


def test_what_a_killed_writer_left_is_cleared_away_by_one_that_is_alone(tmp_path: Path) -> None:
    (tmp_path / ".record.json.partial").write_bytes(b"half")
    files.replace_file(tmp_path / "record.json", b"whole", alone=True)
    assert names_in(tmp_path) == ["record.json"]


def test_a_replacement_that_fails_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "record.json"
    path.write_bytes(b"old")

    def full(_descriptor: int, _data: Any) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="No space left"):
        files.replace_file(path, b"new")
    monkeypatch.undo()
    assert (path.read_bytes(), names_in(tmp_path)) == (b"old", ["record.json"])


def test_a_name_as_long_as_the_filesystem_allows_can_be_written(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 255)
    files.link_new_file(path, b"one")
    files.replace_file(path, b"two")
    assert path.read_bytes() == b"two"


def test_all_is_written_when_the_system_takes_little_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, bytes(data[:3])))
    files.write_file(tmp_path / "file", b"0123456789")
    assert (tmp_path / "file").read_bytes() == b"0123456789"


@pytest.mark.parametrize("without_renameat2", [False, True])
def test_a_rename_never_replaces_not_even_an_empty_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, without_renameat2: bool
) -> None:
    if without_renameat2:
        monkeypatch.setattr(files.ctypes, "CDLL", lambda *_words, **_options: object())
    for name in ("empty", "source"):
        (tmp_path / name).mkdir()
    with pytest.raises(FileExistsError):
        files.rename_new(tmp_path / "source", tmp_path / "empty")
    files.rename_new(tmp_path / "source", tmp_path / "new")
    assert names_in(tmp_path) == ["empty", "new"]
    with pytest.raises(FileNotFoundError):
        files.rename_new(tmp_path / "source", tmp_path / "third")


@pytest.mark.parametrize("call", ["open", "fsync"])
def test_what_the_disk_does_not_confirm_after_a_rename_is_done_and_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "there").write_bytes(b"old")
    right = getattr(os, call)

    def fails(what: Any, *words: Any, **options: Any) -> Any:
        place = Path(f"/proc/self/fd/{what}").readlink() if isinstance(what, int) else Path(what)
        if place == tmp_path:
            raise OSError(errno.EIO, "Input/output error")
        return right(what, *words, **options)

    monkeypatch.setattr(os, call, fails)
    error = files.rename_new(tmp_path / "source", tmp_path / "new")
    assert error is not None and error.errno == errno.EIO
    files.replace_file(tmp_path / "there", b"new")
    files.link_new_file(tmp_path / "linked", b"whole")
    warning = publish_folder(tmp_path / "new", tmp_path / "newer")
    monkeypatch.undo()
    assert warning is not None and "did not confirm its name (Input/output error)" in warning
    assert names_in(tmp_path) == ["linked", "newer", "there"]
    assert (tmp_path / "there").read_bytes() == b"new"


def test_only_a_small_regular_file_is_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").write_bytes(b"12345")
    assert files.read_small_file(tmp_path / "file", 5) == b"12345"
    for path, limit, number in (
        (tmp_path / "file", 4, errno.EFBIG),
        (tmp_path / "pipe", 5, errno.EINVAL),
        (tmp_path, 5, errno.EISDIR),
        (tmp_path / "nothing", 5, errno.ENOENT),
    ):
        with pytest.raises(OSError, match=r".") as caught:
            files.read_small_file(path, limit)
        assert caught.value.errno == number


def test_a_check_refuses_a_file_by_its_status(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"secret")

    def check(status: os.stat_result) -> None:
        raise ValueError(f"mode {stat.S_IMODE(status.st_mode):04o}")

    with pytest.raises(ValueError, match="mode 0666"):
        files.read_small_file(tmp_path / "file", 100, check=check)


def test_a_folder_is_private_and_a_link_in_its_place_is_refused(tmp_path: Path) -> None:
    assert files.make_folder(tmp_path / "folder") and not files.make_folder(tmp_path / "folder")
    assert mode_of(tmp_path / "folder") == 0o700
    (tmp_path / "link").symlink_to(tmp_path / "folder")
    with pytest.raises(FileExistsError):
        files.make_folder(tmp_path / "link")


def test_what_a_killed_writer_left_is_removed_by_the_next_one_and_nothing_else(tmp_path: Path) -> None:
    """Such a file may hold a password."""
    dead = [tmp_path / ".0123456789abcdef.partial", tmp_path / ".drill-20261121T000000Z.json.01234567.partial"]
    others = [tmp_path / ".fedcba9876543210.partial", tmp_path / ".x.partial", tmp_path / "0123456789abcdef.partial"]
    for path in (*dead, *others):
        path.write_bytes(b"secret")
    folder, link = tmp_path / ".aaaaaaaaaaaaaaaa.partial", tmp_path / ".bbbbbbbbbbbbbbbb.partial"
    folder.mkdir()
    link.symlink_to(others[1])
    for path in (*dead, *others[1:], folder, link):
        os.utime(path, (0, 0), follow_symlinks=False)
    files.replace_file(tmp_path / "key", b"new")
    assert not any(path.exists() for path in dead)
    assert all(path.exists() for path in (*others, folder, link))
    dead[0].write_bytes(b"secret")
    os.utime(dead[0], (0, 0))
    files.link_new_file(tmp_path / "other", b"new")
    assert not dead[0].exists()

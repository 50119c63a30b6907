# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Being another user of the operating system: one thread is, the others and the files are as before."""

from __future__ import annotations

import os
import pwd
import socket
import struct
import threading
from pathlib import Path

import pytest
from backupdb.connection.instance import Instance
from backupdb.connection.options import OPTIONS, instance_from
from backupdb.errors import InvalidOption, SystemRefused
from backupdb.system import acting_as
from backupdb.system.acting_as import call_as, files_of_owner
from backupdb.system.options import defaults_of
from backupdb.system.process import SECRET_PATH, RunAs, run_captured
from support import needs

NOBODY = pwd.getpwnam("nobody")


@pytest.fixture
def as_root() -> None:
    needs.root("only root may be another user")


@pytest.mark.usefixtures("as_root")
def test_only_the_thread_of_the_work_is_the_other_user() -> None:
    inside, looked = threading.Event(), threading.Event()
    seen: list[tuple[int, int]] = []

    def work() -> int:
        inside.set()
        assert looked.wait(10)
        return os.geteuid()

    other = threading.Thread(target=lambda: seen.append((call_as("nobody", work), 0)))
    other.start()
    assert inside.wait(10)
    assert (os.geteuid(), os.getegid()) == (0, 0)
    looked.set()
    other.join()
    assert seen == [(NOBODY.pw_uid, 0)]
    assert os.geteuid() == 0


@pytest.mark.usefixtures("as_root")
def test_a_socket_sees_the_other_user_and_nobody_may_trace_him(scratch: Path) -> None:
    scratch.chmod(0o755)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(scratch / "socket"))
        (scratch / "socket").chmod(0o777)
        server.listen()

        def work() -> tuple[socket.socket, str]:
            client = socket.socket(socket.AF_UNIX)
            client.connect(str(scratch / "socket"))
            return client, Path("/proc/thread-self/status").read_text(encoding="utf-8")

        client, status = call_as("nobody", work)
        with client, server.accept()[0] as accepted:
            _pid, uid, gid = struct.unpack("3i", accepted.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    assert (uid, gid) == (NOBODY.pw_uid, NOBODY.pw_gid)
    (ids,) = (line.split()[1:] for line in status.splitlines() if line.startswith("Uid:"))
    assert ids == ["0", str(NOBODY.pw_uid), "0", str(NOBODY.pw_uid)]  # real, effective, saved, of files


@pytest.mark.usefixtures("as_root")
def test_what_the_work_raises_is_raised_and_what_cannot_be_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise KeyError("as it was")

    with pytest.raises(KeyError, match="as it was"):
        call_as("nobody", fail)
    with pytest.raises(InvalidOption, match="the operating system has no user 'no such user'"):
        call_as("no such user", os.geteuid)
    with pytest.raises(InvalidOption, match=r"only root can log in as the operating system's user daemon.*as root"):
        call_as("nobody", lambda: call_as("daemon", os.geteuid))
    monkeypatch.setattr(acting_as.platform, "machine", lambda: "pdp11")
    with pytest.raises(SystemRefused, match="not known for pdp11; give an account with a password"):
        call_as("nobody", os.geteuid)


def test_who_we_are_already_needs_nothing() -> None:
    assert call_as(None, os.geteuid) == os.geteuid()
    assert call_as(pwd.getpwuid(os.geteuid()).pw_name, threading.current_thread) is threading.current_thread()


@pytest.mark.usefixtures("as_root")
def test_a_client_runs_as_the_other_user_and_alone_can_read_its_secret() -> None:
    script = "id -u; id -G; cat $SECRET; stat -L -c ' %a %u' $SECRET; grep Uid /proc/self/status"
    said = run_captured(
        ["sh", "-c", script], environment={"SECRET": SECRET_PATH}, secret=b"hidden", run_as=RunAs("nobody")
    )
    uid, groups, secret, ids = said.stdout.decode().splitlines()
    assert (uid, secret) == (str(NOBODY.pw_uid), f"hidden 600 {NOBODY.pw_uid}"), said.stderr
    assert groups == str(NOBODY.pw_gid)  # none of root's
    assert ids.split()[1:] == [str(NOBODY.pw_uid)] * 4


@pytest.mark.usefixtures("as_root")
def test_files_belong_to_the_owner_of_the_folder_until_the_block_is_left(scratch: Path) -> None:
    mine = scratch / "mine"
    mine.touch(mode=0o600)
    folder = scratch / "folder"
    folder.mkdir(mode=0o700)
    scratch.chmod(0o755)
    os.chown(folder, NOBODY.pw_uid, NOBODY.pw_gid)
    with files_of_owner(folder):
        (folder / "here").touch()
        thread = threading.Thread(target=(folder / "in-a-thread").touch)
        thread.start()
        thread.join()
        said = run_captured(["sh", "-c", f"id -u; cat {mine}"])
        secret = run_captured(["cat", SECRET_PATH], secret=b"hidden", run_as=RunAs("daemon"))
        with pytest.raises(PermissionError):
            mine.read_bytes()
    assert said.stdout == b"0\n", "a program is root's"
    assert secret.stdout == b"hidden"
    (folder / "afterwards").touch()
    owners = {path.name: (path.stat().st_uid, path.stat().st_gid) for path in folder.iterdir()}
    theirs = (NOBODY.pw_uid, NOBODY.pw_gid)
    assert owners == {"here": theirs, "in-a-thread": theirs, "afterwards": (0, 0)}
    assert mine.read_bytes() == b""
    with files_of_owner(scratch / "not there"):
        pass


def test_a_user_of_the_system_goes_with_a_socket_and_is_the_account_too() -> None:
    options = {**defaults_of(OPTIONS), "instance": "shop", "engine": "postgresql", "login_system_user": "postgres"}
    with pytest.raises(InvalidOption, match="login_system_user is for a login through login_unix_socket"):
        instance_from({**options, "login_host": "db1"})
    options["login_unix_socket"] = "/run/pg"
    expected = Instance("shop", "postgresql", user="postgres", unix_socket="/run/pg", system_user="postgres")
    assert instance_from(options) == expected
    assert instance_from({**options, "login_user": "dba"}).user == "dba"

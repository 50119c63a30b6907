# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The folder in which a drill's private server lives, and the user who runs it.

The folder lies on the filesystem that the user chose and is removed at the end, whatever the end is. What a killed
drill left behind is removed by the next one: its lock file is no longer locked.
"""

from __future__ import annotations

import fcntl
import os
import pwd
import shutil
import stat
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..errors import CommandFailed, InvalidOption, RepositoryError
from ..system.process import run_captured

DEFAULT_WORK_DIR = "/var/tmp"  # noqa: S108  a folder of our own is made in it
DEFAULT_USER = "nobody"  # not the engine's own: that one could write into the files of the servers of this host
_PREFIX = "backupdb-drill-"
_LOCK = ".lock"
_LONGEST_SOCKET = 107  # bytes of a unix socket's path (sockaddr_un, with its closing zero 108)
_ATTEMPTS = 5
_SHORT_FOLDERS = ("/run", "/tmp")  # noqa: S108  where a socket goes when the work folder's path is too long


@dataclass(frozen=True)
class User:
    """Who runs the server. None as ids: we are not root, and it runs as we do."""

    uid: int | None = None
    gid: int | None = None

    def let_read(self, path: Path) -> None:
        """Let the user read a file of ours in a folder of the user's, which nobody else may enter."""
        if self.uid is not None:
            path.chmod(0o644)

    def make_folder(self, path: Path) -> None:
        """Make a folder for nobody but the user. Root needs no right to give files away for that."""
        if self.uid is None:
            path.mkdir(mode=0o700)
            return
        before = path.parent.stat()
        if before.st_uid != self.uid:
            path.parent.chmod(0o1733)
        try:
            user = [f"--reuid={self.uid}", f"--regid={self.gid}", "--clear-groups"]
            made = run_captured(["setpriv", *user, "--", "mkdir", "-m", "700", "--", str(path)])
        finally:
            path.parent.chmod(stat.S_IMODE(before.st_mode))
        if made.returncode != 0 or path.lstat().st_uid != self.uid:
            raise CommandFailed(f"the user who runs the server cannot have a folder {path}: {made.stderr.strip()}")


@dataclass(frozen=True)
class Workplace:
    """A new folder for one server. `home` and `socket_folder` belong to the user alone (0700).

    `hidden` must not be seen by the server, wherever it lies.
    """

    home: Path
    socket_folder: Path
    user: User
    hidden: Sequence[Path] = ()


def server_user(name: str | None) -> User:
    """Find the unprivileged user who runs servers; raises `InvalidOption` for one that cannot."""
    if os.geteuid() != 0:
        if name is not None and name != pwd.getpwuid(os.geteuid()).pw_name:
            raise InvalidOption(f"run_as is {name!r}, but only root can start a server as another user")
        return User()
    wanted = name or DEFAULT_USER
    try:
        account = pwd.getpwnam(wanted)
    except KeyError as error:
        raise InvalidOption(f"run_as is {wanted!r}, which is no user of this host; make it or name another") from error
    if account.pw_uid == 0:
        raise InvalidOption("run_as is root; database servers refuse that, name an unprivileged user")
    return User(account.pw_uid, account.pw_gid)


def work_dir_of(work_dir: str | None) -> Path:
    """Return the folder in which servers get theirs; raises `InvalidOption` when it is not there."""
    folder = Path(work_dir or DEFAULT_WORK_DIR)
    if not folder.is_dir():
        raise InvalidOption(f"work_dir {folder} is not a folder of this host; make it or name another")
    return folder


@contextmanager
def workplace(
    work_dir: str | None, user: User, *, socket_name: str, hidden: Sequence[Path] = ()
) -> Iterator[Workplace]:
    """Make a folder for one server in `work_dir` and remove it at the end.

    `socket_name` is the file that the server will make in the socket folder: its whole path must not be too long.
    `hidden` is kept from the server.
    """
    parent = work_dir_of(work_dir)
    _remove_leftovers(parent)
    short: Path | None = None
    with _new_folder(parent) as folder:
        try:
            home = _private_folder(folder / "home", user)
            sockets = folder / "run"
            if len(os.fsencode(sockets / socket_name)) > _LONGEST_SOCKET:
                short = _short_folder(socket_name)
                sockets = short / "run"
            yield Workplace(home, _private_folder(sockets, user), user, hidden)
        finally:
            for path in (folder, short):
                if path is not None:
                    shutil.rmtree(path, ignore_errors=True)


@contextmanager
def _new_folder(parent: Path) -> Iterator[Path]:
    """Make a folder and hold its lock. One that another drill takes for a leftover before it is locked is let go."""
    for _attempt in range(_ATTEMPTS):
        try:
            folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
            folder.chmod(0o711)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise RepositoryError(f"work_dir {parent} cannot be used: {error.strerror}; name another") from error
        with ExitStack() as stack:
            try:
                stack.enter_context(_locked(folder))
                folder.stat()
            except OSError:
                continue
            try:
                yield folder
            finally:
                stack.close()
            return
    raise RepositoryError(f"no folder could be kept in work_dir {parent}; name another")


def _private_folder(path: Path, user: User) -> Path:
    user.make_folder(path)
    return path


def _short_folder(socket_name: str) -> Path:
    for parent in _SHORT_FOLDERS:
        if os.access(parent, os.W_OK | os.X_OK):
            folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
            folder.chmod(0o711)
            return folder
    raise RepositoryError(
        f"the path of {socket_name} in work_dir would be longer than {_LONGEST_SOCKET} bytes, and none of "
        f"{', '.join(_SHORT_FOLDERS)} can be written; name a work_dir with a shorter path"
    )


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the lock that tells this folder from a dead drill's; the kernel gives it back when we die."""
    descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


def _remove_leftovers(parent: Path) -> None:
    for folder in parent.glob(f"{_PREFIX}*"):
        try:
            if folder.is_symlink() or folder.stat().st_uid != os.geteuid():
                continue
            with _locked(folder):
                shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            continue  # a living drill's, or gone meanwhile

# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a drill's server is shut in: in namespaces of its own where the host allows it, see `box_program.py`.

Code in a backup runs as the superuser of that server. In namespaces it has no network, sees no process but its own and
no files but system programs and the server's two folders, and everything is gone at the end. Elsewhere it can reach
what the server's user can, and what it leaves is ended all the same.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from . import box_program
from .workplace import User, Workplace

NAMESPACES = "namespaces"
NONE = "none"

# What programs of the system need. Names of users are those of the box alone.
_SYSTEM = (
    *("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store", "/gnu/store"),
    *("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/alternatives", "/etc/localtime"),
    *("/etc/crypto-policies", "/etc/ssl/openssl.cnf", "/etc/pki/tls/openssl.cnf"),
    "/var/cache/postgresql",  # where Debian keeps dictionaries
)
_SECONDS = 20.0
_PROGRAMS = 100  # looked at for their libraries
_LIBRARY = re.compile(rb" => (/.+) \(0x")  # a line of ldd


def isolation(user: User) -> str:
    """Return how servers are shut in on this host: `NAMESPACES` or `NONE`. The host is asked once."""
    return NAMESPACES if _namespaces_work(user, os.geteuid()) else NONE


def isolation_warning(user: User) -> list[str]:
    """Say what a server without namespaces could reach; it listens on no network in any case."""
    if isolation(user) == NAMESPACES:
        return []
    who = "the user who drills" if user.uid is None else "the user who runs the server"
    return [
        "isolation: this host allows no namespaces, so code in a backup could reach the network and whatever "
        f"{who} can reach"
    ]


def boxed(
    argv: Sequence[str],
    place: Workplace,
    *,
    stop: signal.Signals = signal.SIGKILL,
    death: signal.Signals = signal.SIGKILL,
) -> list[str]:
    """Return the words that run a program shut in. SIGTERM ends it with all that it has started.

    Without namespaces `stop` is what it is sent first then, and `death` what it gets when nobody is left to do that.
    """
    return _words(argv, place, namespaces=isolation(place.user) == NAMESPACES, stop=stop, death=death)


def _words(
    argv: Sequence[str], place: Workplace, *, namespaces: bool, stop: signal.Signals, death: signal.Signals
) -> list[str]:
    written = [place.home, place.socket_folder]
    plan = {
        "parent": os.getpid(),
        "namespaces": namespaces,
        "argv": list(argv),
        "uid": place.user.uid,
        "gid": place.user.gid,
        "stop": int(stop),
        "death": int(death),
        "home": str(place.home),
        "shown": [*_SYSTEM, *(_installed_at(argv[0]) if argv else [])],
        "hidden": [str(path) for path in place.hidden],
        "written": [[os.path.realpath(path), str(path)] for path in written],
    }
    # -I and -S: no file of the user's or of a site is read, and it starts twice as fast.
    return [sys.executable or "/usr/bin/python3", "-I", "-S", "-c", _program(), json.dumps(plan)]


@lru_cache(maxsize=1)
def _program() -> str:
    """Return the text of the program; modules of Ansible come as a zip file, which has no files to be run."""
    loader: Any = box_program.__loader__
    return str(loader.get_source(box_program.__name__))


def _installed_at(program: str) -> list[str]:
    """Return the folders of a program that is not installed below those of the system, and of its libraries."""
    folders = (Path(program).parent, Path(program).resolve().parent.parent)
    found = [str(folder) for folder in folders if len(folder.parts) > 2 and not str(folder).startswith("/usr/")]
    # The shorter ones first: what is shown already is not shown again, with or without what is around it.
    return sorted({*found, *_library_folders(str(Path(program).parent))}, key=len) if found else []


@lru_cache(maxsize=16)
def _library_folders(programs: str) -> tuple[str, ...]:
    """Return where the loader finds libraries of the programs in a folder, outside of the system's folders.

    Of all programs: what a server loads later needs the libraries of its clients too. None where there is no loader.
    """
    try:
        paths = sorted(str(path) for path in Path(programs).iterdir() if path.is_file())[:_PROGRAMS]
        said = subprocess.run(["ldd", *paths], check=False, timeout=_SECONDS, capture_output=True)
    except (OSError, subprocess.TimeoutExpired):
        return ()
    libraries = (Path(os.fsdecode(path)).resolve() for path in _LIBRARY.findall(said.stdout))
    folders = {str(library.parent) for library in libraries}
    return tuple(sorted(folder for folder in folders if not folder.startswith(("/usr/", "/lib"))))


@lru_cache(maxsize=4)
def _namespaces_work(user: User, _euid: int) -> bool:
    with tempfile.TemporaryDirectory(prefix="backupdb-box-") as folder:
        Path(folder).chmod(0o711)
        place = Workplace(Path(folder), Path(folder), user)
        words = _words([], place, namespaces=True, stop=signal.SIGKILL, death=signal.SIGKILL)
        try:
            return subprocess.run(words, check=False, timeout=_SECONDS, capture_output=True, env={}).returncode == 0
        except (OSError, subprocess.TimeoutExpired):
            return False

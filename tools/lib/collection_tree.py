# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copy the checkout into a tree where Ansible finds it as the collection vya.backupdb.

Ansible finds collections only under `.../ansible_collections/NAMESPACE/NAME`, and ansible-test refuses a symbolic
link there, so the files that git knows (tracked, or new and not ignored) are copied to
`.cache/ansible_collections/vya/backupdb`. Unchanged files are left alone, files that are gone are removed.
Needs nothing but Python itself, so that it also runs where there is no virtual environment.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TREE = ROOT / ".cache" / "ansible_collections" / "vya" / "backupdb"
# What is in the tree on purpose and this script must not remove.
KEPT = {Path(".git"), Path("tests/output"), Path(".ansible")}


def project_files() -> set[Path]:
    """Tracked and untracked, not ignored files that exist, relative to the checkout."""
    # The checkout may belong to another user than the one who tests it; git refuses that unless told.
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listing = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout
    names = {Path(os.fsdecode(name)) for name in listing.split(b"\0") if name}
    return {name for name in names if (ROOT / name).is_file() or (ROOT / name).is_symlink()}


def is_current(source: Path, copy: Path) -> bool:
    if copy.is_symlink() or source.is_symlink() or not copy.is_file():
        return False
    ours, theirs = source.stat(), copy.stat()
    return (ours.st_size, ours.st_mtime_ns, ours.st_mode) == (theirs.st_size, theirs.st_mtime_ns, theirs.st_mode)


def copy_file(source: Path, copy: Path) -> None:
    """Replace `copy` in one step, so that a reader never sees half a file."""
    copy.parent.mkdir(parents=True, exist_ok=True)
    temporary = copy.with_name(f".{copy.name}.{os.getpid()}")
    shutil.copy2(source, temporary, follow_symlinks=False)
    temporary.replace(copy)


def remove_strangers(folder: Path, wanted: set[Path]) -> None:
    """Remove below `folder` what is not wanted, and the folders that are then empty."""
    for path in folder.iterdir():
        name = path.relative_to(TREE)
        if name in KEPT or name in wanted:
            continue
        if path.is_dir() and not path.is_symlink():
            remove_strangers(path, wanted)
            if not any(path.iterdir()):
                path.rmdir()
        else:
            path.unlink()


def refresh() -> Path:
    """Bring the tree up to date and return it."""
    TREE.mkdir(parents=True, exist_ok=True)
    with (ROOT / ".cache" / "collection_tree.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several test runs may start at once
        wanted = project_files()
        for name in sorted(wanted):
            if not is_current(ROOT / name, TREE / name):
                copy_file(ROOT / name, TREE / name)
        remove_strangers(TREE, wanted)
        make_repository()
        link_for_types()
    return TREE


def make_repository() -> None:
    """Give the tree a git repository of its own.

    Else git, which ansible-test and ansible-lint ask for the files, would look at the checkout around the tree, in
    which .cache is ignored, and say that there are none.
    """
    if not (TREE / ".git").exists():
        subprocess.run(["git", "init", "--quiet", str(TREE)], check=True)


def link_for_types() -> None:
    """Show mypy the plugins of the checkout itself, not of the copy, under the name that Ansible gives them."""
    link = ROOT / ".cache" / "types" / "ansible_collections" / "vya" / "backupdb" / "plugins"
    link.parent.mkdir(parents=True, exist_ok=True)
    if not link.is_symlink():
        link.symlink_to(os.path.relpath(ROOT / "plugins", link.parent))


if __name__ == "__main__":
    refresh()

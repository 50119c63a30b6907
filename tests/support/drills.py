# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drilling backups of private servers, and making backups that are wrong on purpose."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from backupdb.drill import run as drill
from backupdb.drill.request import DrillRequest
from backupdb.drill.restore import DrillContext
from backupdb.engines.workplace import server_user
from backupdb.repository.catalogue import read_backup

from support.library import IDENTITY, KEYS, limits


def drill_all(repository: Path, **options: Any) -> dict[str, Any]:
    """Drill the newest backup of every database of a repository, or what the options say."""
    return drill.run(DrillRequest(repository=str(repository), **{"keys": KEYS, **options}))


def drilled(repository: Path, **options: Any) -> dict[str, Any]:
    """Drill the only database of a repository and return its entry."""
    entries = drill_all(repository, **options)["drills"]
    assert len(entries) == 1
    entry: dict[str, Any] = entries[0]
    return entry


def setting_of(folder: str | Path, work_dir: Path) -> DrillContext:
    """What a drill of one backup needs, to do its steps one by one."""
    return DrillContext(
        backup=read_backup(Path(folder)),
        identities=(IDENTITY,),
        limits=limits(),
        work_dir=str(work_dir),
        user=server_user(None),
    )


def edit_manifest(folder: str | Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the manifest of a backup and its checksum, so that only a drill can notice."""
    path = Path(folder, "manifest.json")
    manifest = json.loads(path.read_bytes())
    change(manifest)
    content = (json.dumps(manifest, indent=2, sort_keys=True) + "\n").encode("ascii")
    path.write_bytes(content)
    sums = {"manifest.json": hashlib.sha256(content).hexdigest()}
    sums |= {archive["name"]: archive["sha256"] for archive in manifest["archives"]}
    Path(folder, "manifest.json.sha256").write_text("".join(f"{digest}  {name}\n" for name, digest in sums.items()))


def with_archives_of(folder: str | Path, other: str | Path) -> None:
    """Give a backup the archives of another one: it then says what it does not hold."""
    records = json.loads(Path(other, "manifest.json").read_bytes())["archives"]
    for record in records:
        shutil.copyfile(Path(other, record["name"]), Path(folder, record["name"]))

    def change(manifest: dict[str, Any]) -> None:
        manifest["archives"] = records

    edit_manifest(folder, change)


def servers_in(work_dir: Path) -> list[int]:
    """The processes whose command line names a folder below `work_dir`."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                words = (entry / "cmdline").read_bytes()
            except OSError:  # it ended in between
                continue
            if f"{work_dir}/backupdb-drill-".encode() in words:
                found.append(int(entry.name))
    return found


@contextmanager
def writing(write: Callable[[Any], None], connect: Callable[[], Any]) -> Iterator[None]:
    """Run `write(cursor)` over and over, each call in a transaction of its own, until the block ends."""
    stop = threading.Event()

    def work() -> None:
        connection = connect()
        try:
            with connection.cursor() as cursor:
                while not stop.is_set():
                    write(cursor)
        finally:
            connection.close()

    writers = [threading.Thread(target=work) for _number in range(2)]
    for writer in writers:
        writer.start()
    try:
        yield
    finally:
        stop.set()
        for writer in writers:
            writer.join()

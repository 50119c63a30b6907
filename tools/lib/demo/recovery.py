# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recovery of one database per engine with standard programs, and the proof that it is the same."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

import controller
import offsite
import place
import servers
import terminal
from servers import Sample


def recover(folder: Path, sample: Sample, *, identity: str, fetched: bool = False) -> None:
    """Bring the newest backup of the sample's main database back under a new name and compare.

    With `fetched` it comes out of the copy, as when the repository is lost.
    """
    source = ", from the copy" if fetched else ""
    terminal.heading(f"Recovery{source}: {sample.server.engine} database {sample.main} becomes {sample.main}_restored")
    before = servers.contents(sample.server, sample.main)
    backup = newest_backup(folder, sample)
    if fetched:
        backup = offsite.fetch(folder, backup.relative_to(folder / controller.REPOSITORY).as_posix())
    relative = backup.relative_to(folder)
    # Finding damage needs no key.
    terminal.shell(f"(cd {relative} && sha256sum -c manifest.json.sha256)", folder=folder)
    plain = plain_stream(relative, archive_of(backup), identity)
    if sample.server.engine == "postgresql":
        if sample.server.sql("SELECT 1 FROM pg_database WHERE datname = %s", parameters=[f"{sample.main}_restored"]):
            terminal.shell(f"dropdb {sample.main}_restored", folder=folder)
        terminal.shell(f"createdb --template=template0 {sample.main}_restored", folder=folder)
        terminal.shell(f"{plain} \\\n    | pg_restore --exit-on-error --dbname={sample.main}_restored", folder=folder)
    else:
        mariadb = f"mariadb --defaults-extra-file={sample.server.folder.name}/client.cnf"
        # Without the checks MariaDB may refuse to drop its own tables, which refer to each other.
        fresh = f"CREATE OR REPLACE DATABASE {sample.main}_restored CHARACTER SET utf8mb4"
        terminal.shell(f"{mariadb} -e 'SET foreign_key_checks = 0; {fresh}'", folder=folder)
        terminal.shell(f"{plain} \\\n    | {mariadb} {sample.main}_restored", folder=folder)
    terminal.compare(before, servers.contents(sample.server, f"{sample.main}_restored"))


def newest_backup(folder: Path, sample: Sample) -> Path:
    """The newest backup's folder; names begin with the time, so they sort by it."""
    host, instance = controller.HOSTS[sample.server.engine]
    backups = sorted((folder / controller.REPOSITORY / host / instance / sample.main).glob("*-*"))
    if not backups:
        raise terminal.StepFailed(f"there is no backup of {sample.main}")
    return backups[-1]


def archive_of(backup: Path) -> str:
    """The name of the only archive of a backup that was made with jobs: 1."""
    (archive,) = (path.name for path in backup.glob("data.*.age"))
    return archive


def plain_stream(backup: Path, archive: str, identity: str) -> str:
    """The command that writes the archive's plain stream: by age and zstd, or by the library where they are missing."""
    if standard_programs_are_there():
        return f"age -d -i {identity} {backup}/{archive} | zstd -d"
    library = shlex.quote(str(place.ROOT / "plugins" / "module_utils"))
    return f"PYTHONPATH={library} python -m backupdb.cli.main cat {backup} {archive} -i {identity}"


def standard_programs_are_there() -> bool:
    return all(shutil.which(name) for name in ("age", "zstd"))

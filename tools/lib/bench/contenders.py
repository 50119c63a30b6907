# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is measured: a job of this project, and what people use in its place, each as a command to run."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from support.jobs import JobHost, login_of
from support.library import IDENTITY, LIBRARY
from support.private_server import PrivateServer

_FEW_BYTES = 64 << 20


class Place:
    """A folder in which each run of a contender writes, emptied before the next."""

    def __init__(self, folder: Path, server: PrivateServer) -> None:
        self.folder = folder
        self.library = LIBRARY  # of the checkout whose jobs are measured
        self.server = server
        self.target = folder / "target"
        self.identity = folder / "identity.txt"
        self.host_times: Path | None = None  # where the hosts of a play write down what they have used
        folder.mkdir()
        self.identity.touch(mode=0o600)
        self.identity.write_text(IDENTITY.reveal() + "\n", encoding="ascii")
        common = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": "/nonexistent"}
        self.environment = {**common, "PGPASSWORD": server.password, "MYSQL_PWD": server.password}

    def clear(self) -> None:
        """Make the folder anew. Few bytes are put aside until the end.

        ext4 gives the place of a file that was removed to no other for a minute. To look for one that is free would
        cost whoever comes next, who would pay for the files of the one before.
        """
        if self.target.exists():
            size = sum(file.stat().st_size for file in self.target.rglob("*") if file.is_file())
            if size < _FEW_BYTES:
                self.target.rename(self.folder / f"before{len(list(self.folder.iterdir()))}")
        shutil.rmtree(self.target, ignore_errors=True)
        self.target.mkdir()

    def job(self, databases: Sequence[str], **options: Any) -> list[str]:
        """A job of ours, as its timer starts it."""
        home = self.target / "home"
        home.mkdir()
        host = JobHost(home)
        entry = host.backup_of(self.server, databases=list(databases), accounts=False, **options)
        host.write_job("nightly", [entry])
        host.write_secrets("nightly", logins={"test": login_of(self.server)})
        return self._ours("run", "nightly", "--config-dir", str(host.config_dir))

    def restore(self, database: str, jobs: int) -> list[str]:
        """A restore of ours under a new name, out of what `job` has left in the target."""
        home = self.target / "home"
        words = ["restore", "nightly", "test", database, "--target", "back", "-o", f"jobs={jobs}"]
        return self._ours(*words, "-i", str(self.identity), "--config-dir", str(home / "config"))

    def _ours(self, *words: str) -> list[str]:
        return ["env", f"PYTHONPATH={self.library}", sys.executable, "-m", "backupdb.cli.main", *words]

    def dump(self, database: str) -> str:
        """The client alone, with the flags that ours gets."""
        server = self.server
        if server.engine == "postgresql":
            return f"pg_dump -h {server.host} -p {server.port} -U {server.user} -Fc -Z0 {database}"
        program = "mysqldump" if server.engine == "mysql" else "mariadb-dump"
        login = f"--host={server.host} --port={server.port} --user={server.user}"
        flags = "--single-transaction --quick --routines --events --triggers --hex-blob"
        return f"{program} {login} {flags} {database}"

    def bare(self, database: str) -> list[str]:
        return shell(f"{self.dump(database)} > /dev/null")

    def pipeline(self, database: str, level: int) -> list[str]:
        """What people write into cron."""
        file = self.target / "dump.zst.age"
        return shell(f"{self.dump(database)} | zstd -q -{level} -T2 | age -r {IDENTITY.recipient} > {file}")

    def loop(self, databases: Sequence[str]) -> list[str]:
        """The same for many databases, two at once."""
        one = f"{self.dump('$1')} | zstd -q -1 | age -r {IDENTITY.recipient} > {self.target}/$1.zst.age"
        names = " ".join(databases)
        each = f"xargs -P 2 -I '{{}}' bash -o pipefail -c {shlex.quote(one)} loop '{{}}'"
        return shell(f"printf '%s\\n' {names} | {each}")

    def directory(self, database: str) -> list[str]:
        """PostgreSQL's own parallel dump, not encrypted."""
        plain = self.dump(database).replace("-Fc -Z0", f"-Fd -j2 -Z1 -f {self.target}/dump")
        return shell(plain)

    def mydumper(self, database: str) -> list[str]:
        """Two threads, compressed, not encrypted."""
        server, login = self.server, self.target / "login.cnf"
        login.touch(mode=0o600)
        login.write_text(f"[client]\nuser={server.user}\npassword={server.password}\n", encoding="utf-8")
        place = f"-h {server.host} -P {server.port} -B {database} -o {self.target}/dump"
        return shell(f"mydumper --defaults-file={login} {place} -t 2 -c")

    def restic(self, database: str) -> list[str]:
        """Into a new repository, encrypted, as restic does it by itself."""
        words = f"restic -q --no-cache -r {self.target}/restic"
        return shell(f"export RESTIC_PASSWORD=bench; {words} init && {self.dump(database)} | {words} backup --stdin")

    def borg(self, database: str) -> list[str]:
        """Into a new repository, encrypted, with the compression that ours has: what borgmatic does."""
        place = f"{self.target}/borg"
        make = f"borg init -e repokey-blake2 {place}"
        keep = f"borg create --compression zstd,1 {place}::one -"
        return shell(
            f"export BORG_PASSPHRASE=bench BORG_BASE_DIR={self.target}; {make} && {self.dump(database)} | {keep}"
        )

    def unpipe(self, database: str) -> list[str]:
        """Back from the pipeline's file into a new database."""
        server, file = self.server, self.target / "dump.zst.age"
        opened = f"age -d -i {self.identity} {file} | zstd -q -d"
        if server.engine == "postgresql":
            return shell(f"createdb {self._libpq} back && {opened} | pg_restore {self._libpq} --exit-on-error -d back")
        program = "mysql" if server.engine == "mysql" else "mariadb"
        login = f"--host={server.host} --port={server.port} --user={server.user}"
        return shell(f"{program} {login} -e 'CREATE DATABASE back' && {opened} | {program} {login} back")

    def undirectory(self) -> list[str]:
        """Back from what `directory` wrote, with PostgreSQL's own two connections."""
        restore = f"pg_restore {self._libpq} --exit-on-error -j2 -d back {self.target}/dump"
        return shell(f"createdb {self._libpq} back && {restore}")

    @property
    def _libpq(self) -> str:
        return f"-h {self.server.host} -p {self.server.port} -U {self.server.user}"


def shell(command: str) -> list[str]:
    return ["bash", "-o", "pipefail", "-c", command]

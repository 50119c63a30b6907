# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A job that backs up and copies, beside the same job without a copy and `rclone copy` of the repository after it.

Every round has both, each with a repository and a place in the store of its own, so that ratios hold on a machine that
is busy too. The store is a private SeaweedFS, the database a private server; neither is counted. Memory is the
proportional share (PSS) of all processes of a job together, its highest of ten looks a second.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from support import mysql_sid, run_state
from support.jobs import JobHost, login_of
from support.library import LIBRARY
from support.private_server import PrivateServer
from support.restores import make_database
from support.seaweed import Seaweed
from support.servers import make_server

_LOOK_EVERY = 0.1  # seconds
_ROW = 1 << 14  # bytes of a row
_FILL = {
    "postgresql": "INSERT INTO big SELECT n, (SELECT string_agg(md5(random()::text || n || i), '') "
    "FROM generate_series(1, 512) i) FROM generate_series(%(first)s, %(last)s) n",
    "mysql": "INSERT INTO big WITH RECURSIVE s (n) AS (SELECT %(first)s UNION ALL SELECT n + 1 FROM s "
    "WHERE n < %(last)s) SELECT n, HEX(RANDOM_BYTES(1024)) FROM s",
}


class Measured:
    """Runs a command, and says how long it took and how much memory its processes had together at most."""

    def __init__(self, argv: Sequence[str], environment: Mapping[str, str]) -> None:
        began = time.monotonic()
        self.peak = 0.0  # MiB
        process = subprocess.Popen(argv, env=dict(environment), stdout=subprocess.DEVNULL)
        looking = threading.Thread(target=self._look, args=(process,), daemon=True)
        looking.start()
        if process.wait():
            raise SystemExit(f"{argv[0]} ended with {process.returncode}; its messages are above")
        self.seconds = time.monotonic() - began
        looking.join()

    def _look(self, process: subprocess.Popen[bytes]) -> None:
        while process.poll() is None:
            self.peak = max(self.peak, sum(_shares(process.pid)) / 1024)
            time.sleep(_LOOK_EVERY)


def _shares(pid: int) -> list[int]:
    """The proportional shares of a process and all below it, in KiB."""
    found = []
    with suppress(OSError):  # it has ended
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
        found.append(int(rollup.partition("\nPss:")[2].split()[0]))
        for children in Path(f"/proc/{pid}/task").glob("*/children"):
            with suppress(OSError):
                for child in children.read_text(encoding="ascii").split():
                    found += _shares(int(child))
    return found


def main() -> int:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(prog="./tools/bench-copy --job", description=__doc__)
    parser.add_argument("--mib", type=int, default=1024, help="size of the database (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is measured (default: %(default)s)")
    parser.add_argument("--engine", default="postgres15", help="or mariadb, mysql, postgres18 (default: %(default)s)")
    options = parser.parse_args()
    os.environ["PATH"] += f":{mysql_sid.programs()}" if options.engine == "mysql" else ""
    folder = run_state.new_folder("bench-job")
    store = Seaweed().start()
    try:
        with make_server(options.engine) as server:
            fill(server, options.mib)
            rounds = [one_round(server, store, folder, number) for number in range(options.rounds)]
    finally:
        store.kill()
        shutil.rmtree(store.folder, ignore_errors=True)
    print(f"a database of {options.mib} MiB in {options.engine}, {options.rounds} rounds, median and all, in seconds")
    for name in rounds[0]:
        seconds = [found[name].seconds for found in rounds]
        every = " ".join(f"{one:.2f}" for one in seconds)
        peak = max(found[name].peak for found in rounds)
        print(f"  {name:18} {statistics.median(seconds):7.2f}  ({every})  peak {peak:.0f} MiB")
    ratios = [
        found["backup and copy"].seconds / (found["backup alone"].seconds + found["rclone copy"].seconds)
        for found in rounds
    ]
    every = " ".join(f"{one:.2f}" for one in ratios)
    print(f"backup and copy is {statistics.median(ratios):.2f} ({every}) of backup alone and rclone copy after it")
    return 0


def fill(server: PrivateServer, mib: int) -> None:
    """Make a table that hardly compresses: random digits, half of which zstd gets rid of."""
    make_database(server, "big")
    postgresql = server.engine == "postgresql"
    body = "text" if postgresql else "longtext"
    server.sql(f"CREATE TABLE big (n int PRIMARY KEY, body {body} NOT NULL)", database="big")
    each = _ROW if postgresql else 2048
    rows = (mib << 20) // each
    statement = _FILL["postgresql" if postgresql else "mysql"]
    step = 1000
    for first in range(1, rows + 1, step):
        last = min(first + step - 1, rows)
        server.sql(statement % {"first": first, "last": last}, database="big")


def one_round(server: PrivateServer, store: Seaweed, folder: Path, number: int) -> dict[str, Measured]:
    """Do both; what they wrote is gone afterwards."""
    bucket = store.bucket(f"job-{number}")
    copy = store.copy(bucket, key="admin")
    with_copy, without = (made(server, folder / f"{number}-{name}", copy, copies=name == "a") for name in ("a", "b"))
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(LIBRARY), "LC_ALL": "C.UTF-8"}

    def job(host: JobHost) -> Measured:
        words = ["run", "nightly", "--config-dir", str(host.config_dir)]
        return Measured([sys.executable, "-m", "backupdb.cli.main", *words], environment)

    config = folder / f"{number}.conf"
    config.touch(mode=0o600)
    key = copy["secrets"]
    config.write_text(
        f"[bench]\ntype = s3\nprovider = Other\nendpoint = {store.url}\naccess_key_id = {key['access_key_id']}\n"
        f"secret_access_key = {key['secret_access_key']}\n",
        encoding="utf-8",
    )
    argv = ["rclone", f"--config={config}", "copy", str(without.repository), f"bench:{bucket}/rclone"]
    try:
        return {
            "backup and copy": job(with_copy),
            "backup alone": job(without),
            "rclone copy": Measured(argv, environment),
        }
    finally:
        shutil.rmtree(folder / f"{number}-a")
        shutil.rmtree(folder / f"{number}-b")
        client = store.client()
        for name in store.names(bucket):
            client.delete_object(Bucket=bucket, Key=name)


def made(server: PrivateServer, folder: Path, copy: Mapping[str, Mapping[str, str]], *, copies: bool) -> JobHost:
    """A host with a job that backs the server up, and copies where that is wanted."""
    host = JobHost(folder)
    more = {"copies": [dict(copy["options"])]} if copies else {}
    host.write_job("nightly", [host.backup_of(server)], **more)
    secrets = {"copies": {copy["options"]["name"]: dict(copy["secrets"])}} if copies else {}
    host.write_secrets("nightly", logins={"test": login_of(server)}, **secrets)
    return host


if __name__ == "__main__":
    raise SystemExit(main())

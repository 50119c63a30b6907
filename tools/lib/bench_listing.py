# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a copy that holds very many backups is looked at: time, requests to the store, and peak memory of the process.

The backups are one that the library made, many times under other names, of many hosts with ten databases each. Each
look is a process of its own, as a command is. Requests are those that SeaweedFS has counted itself.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any, Callable

from backupdb.repository import layout
from backupdb.repository.catalogue import StoredBackup
from backupdb.repository.manifest import serialise
from backupdb.system.text import iso
from support import run_state, stored
from support.private_server import free_port
from support.seaweed import Seaweed
from support.sshd import UID, Sshd

_DATABASES = 10  # of a host
_EACH = 100  # backups of a database
_NEW = 20  # backups that arrive between two looks
_WRITERS = 3  # processes, of eight threads each
_LOOKS = {
    "first look": {},
    "whole again": {"whole": True},
    "what is new": {},
    "one host": {"under": "h00000"},
    "list": {"list": True},
}
_LOOK = """
import json, resource, sys, time
from backupdb.repository.catalogue import Filter
from backupdb.repository.listing import collect
from backupdb.repository.place import CopySource
from backupdb.repository.shadow import Shadow
from backupdb.repository.stores.patience import Patience
from backupdb.repository.stores.registry import open_store
from backupdb.repository.stores.settings import copy_from

wanted = json.load(sys.stdin)
source = CopySource(copy_from(wanted["options"], "copy", wanted["secrets"]), wanted["state"])
began = time.monotonic()
if wanted.get("list"):
    found = collect(None, Filter(), source)
    json.dumps(found)
    count, problems = found["count"], found["problems"]
else:
    patience = Patience(600)
    shadow = Shadow(source.home())
    store = open_store(source.settings, patience)
    problems = shadow.refresh(store, patience, under=[wanted.get("under", "")], whole=wanted.get("whole", False))
    count = len(shadow.arrivals.of)
    store.close()
seconds = time.monotonic() - began
usage = resource.getrusage(resource.RUSAGE_SELF)
status = open("/proc/self/status").read()  # getrusage knows the peak of the process before as well, which started this
peak = int(status.partition("VmHWM:")[2].split()[0])
print(json.dumps({"seconds": seconds, "cpu": usage.ru_utime + usage.ru_stime, "peak": peak / 1024,
                  "count": count, "problems": list(problems)[:3]}))
"""
_PUT = """
import json, sys
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from threading import local
from backupdb.repository.stores.patience import Patience
from backupdb.repository.stores.registry import open_store
from backupdb.repository.stores.settings import copy_from

wanted = json.load(sys.stdin)
bucket, root, mine = wanted["options"]["bucket"], Path(wanted["root"]), local()

def put_behind(name):  # where no key is asked for, which costs a tenth
    if not hasattr(mine, "connection"):
        mine.connection = HTTPConnection("127.0.0.1", wanted["port"])
    content = (root / name).read_bytes()
    mine.connection.request("PUT", f"/buckets/{bucket}/{name}", content, {"Content-Type": "application/octet-stream"})
    answer = mine.connection.getresponse()
    answer.read()
    assert answer.status == 201, answer.status

def put(name):
    client.put_object(Bucket=bucket, Key=name, Body=(root / name).read_bytes())

client = open_store(copy_from(wanted["options"], "copy", wanted["secrets"]), Patience(600)).client
with ThreadPoolExecutor(8) as pool:
    for _nothing in pool.map(put_behind if wanted["port"] else put, wanted["names"]):
        pass
"""
# What puts the tree of a folder into the store, and what counts its requests.
Add = Callable[[Path], None]
Meter = Callable[[], int]


def main() -> int:
    """Measure and print a table for each store."""
    parser = argparse.ArgumentParser(prog="./tools/bench-listing", description=__doc__)
    parser.add_argument("--backups", type=int, default=100_000, help="how many (default: %(default)s)")
    parser.add_argument(
        "--stores",
        default="local,sftp,s3",
        help="of local, sftp, s3 and s3-versions (default: %(default)s); the last is filled over its interface, slowly",
    )
    options = parser.parse_args()
    folder = run_state.new_folder("listing")
    template = real_backup(folder / "real")
    files = {path.name: path.stat().st_size for path in template.folder.iterdir()}
    print(
        f"{options.backups} backups of {len(files)} files; a manifest has {files[layout.MANIFEST_FILE]} bytes",
        flush=True,
    )
    for name in options.stores.split(","):
        with ExitStack() as stack:
            copy, add, meter = STORES[name](stack)
            measure(name, copy, add, meter, template, options.backups, folder)
    return 0


def real_backup(root: Path) -> StoredBackup:
    """Make one backup by the library's own means, of a database with some tables."""
    root.mkdir()
    counts = {f"table_{number:03}": number * 1000 for number in range(40)}
    return stored.store(
        root,
        content=b"-- Dump completed\n",
        envelope=stored.SEALED,
        inventory={"tables": len(counts), "views": 3, "triggers": 2},
        row_counts=counts,
        fingerprints={name: f"{count}:0123456789abcdef" for name, count in counts.items()},
    )


def places(first: int, count: int) -> Iterator[tuple[str, str, int]]:
    """Yield host, database and number within that of backups; from some number on they are newer ones of the same."""
    for number in range(first, first + count):
        database, each = divmod(number, _EACH)
        host, database = divmod(database, _DATABASES)
        yield f"h{host:05}", f"db{database}", each


def write_tree(root: Path, template: StoredBackup, wanted: Iterator[tuple[str, str, int]]) -> list[str]:
    """Write backups as a repository has them; returns the names of their files."""
    (archive,) = (path for path in template.folder.iterdir() if path.name.startswith("data."))
    content = archive.read_bytes()
    archive_line = (template.folder / layout.CHECKSUM_FILE).read_text(encoding="ascii").partition("\n")[2]
    names = []
    for host, database, each in wanted:
        time_of = stored.TIME + timedelta(hours=6 * each)
        run = f"{each:08x}" + "0" * 24
        backup_id = layout.backup_folder(time_of, run)
        manifest = serialise(
            {
                **template.manifest,
                "host": host,
                "instance": "main",
                "database": database,
                "backup_id": backup_id,
                "run_id": run,
                "started": iso(time_of),
            }
        )
        place = f"{host}/main/{database}/{backup_id}"
        (root / place).mkdir(parents=True)
        checksums = f"{hashlib.sha256(manifest).hexdigest()}  {layout.MANIFEST_FILE}\n{archive_line}"
        for name, data in (
            (archive.name, content),
            (layout.CHECKSUM_FILE, checksums.encode("ascii")),
            (layout.MANIFEST_FILE, manifest),
        ):
            (root / place / name).write_bytes(data)
            names.append(f"{place}/{name}")
    return names


def measure(
    name: str, copy: dict[str, Any], add: Add, meter: Meter, template: StoredBackup, count: int, folder: Path
) -> None:
    """Fill a store, and print a line for each look at it."""
    tree, state = folder / f"tree-{name}", folder / f"state-{name}"
    state.mkdir(mode=0o700)
    began = time.monotonic()
    write_tree(tree, template, places(0, count))
    add(tree)
    print(f"{name}: filled in {time.monotonic() - began:.0f} s", flush=True)
    print(f"  {'':12} {'seconds':>8} {'CPU':>8} {'requests':>9} {'peak MiB':>9} {'backups':>8}")
    for what, look in _LOOKS.items():
        if what == "what is new":
            shutil.rmtree(tree)
            # Newer ones of the first databases.
            newer = ((host, database, _EACH + each) for host, database, each in places(0, count) if each == 0)
            write_tree(tree, template, (one for one, _number in zip(newer, range(_NEW))))
            add(tree)
        before = meter()
        wanted = {"options": copy["options"], "secrets": copy["secrets"], "state": str(state), **look}
        argv = [sys.executable, "-c", _LOOK]
        done = subprocess.run(argv, input=json.dumps(wanted), check=True, stdout=subprocess.PIPE, text=True)
        found = json.loads(done.stdout)
        print(
            f"  {what:12} {found['seconds']:8.1f} {found['cpu']:8.1f} {meter() - before:9} {found['peak']:9.0f} "
            f"{found['count']:8} {'; '.join(found['problems'])}",
            flush=True,
        )
    shutil.rmtree(tree)
    shutil.rmtree(state)


def local(stack: ExitStack) -> tuple[dict[str, Any], Add, Meter]:
    """A folder."""
    root = run_state.new_folder("copy")
    stack.callback(shutil.rmtree, root, ignore_errors=True)
    copy = {"options": {"name": "offsite", "type": "local", "path": str(root)}, "secrets": {}}
    return copy, lambda tree: _add_links(tree, root), lambda: 0


def sftp(stack: ExitStack) -> tuple[dict[str, Any], Add, Meter]:
    """A folder of another host."""
    server = stack.enter_context(Sshd())

    def add(tree: Path) -> None:
        _add_links(tree, server.top)
        subprocess.run(["chown", "-R", f"{UID}:{UID}", str(server.top)], check=True)

    return {"options": server.options, "secrets": {}}, add, lambda: 0


def _add_links(tree: Path, root: Path) -> None:
    subprocess.run(["cp", "-al", f"{tree}/.", str(root)], check=True)


def s3(stack: ExitStack) -> tuple[dict[str, Any], Add, Meter]:
    """A bucket without versions, filled behind the back of its interface."""
    server = _seaweed(stack)
    copy = server.copy(server.bucket("bench-listing"), key="admin")
    return copy, lambda tree: _put(copy, tree, server.filer_port), lambda: _requests(server)


def s3_versions(stack: ExitStack) -> tuple[dict[str, Any], Add, Meter]:
    """A bucket that keeps versions."""
    server = _seaweed(stack)
    copy = server.copy(server.bucket("bench-listing", versions=True), key="admin")
    return copy, lambda tree: _put(copy, tree, None), lambda: _requests(server)


def _put(copy: dict[str, Any], tree: Path, port: int | None) -> None:
    names = sorted(str(path.relative_to(tree)) for path in tree.rglob("*") if path.is_file())
    with ThreadPoolExecutor(_WRITERS) as pool:
        shares = [names[number::_WRITERS] for number in range(_WRITERS)]
        list(pool.map(lambda share: _put_some({**copy, "root": str(tree), "names": share, "port": port}), shares))


def _put_some(wanted: dict[str, Any]) -> None:
    subprocess.run([sys.executable, "-c", _PUT], input=json.dumps(wanted), check=True, text=True)


STORES = {"local": local, "sftp": sftp, "s3": s3, "s3-versions": s3_versions}


def _seaweed(stack: ExitStack) -> Seaweed:
    server = Seaweed(metrics_port=free_port()).start()
    stack.callback(shutil.rmtree, server.folder, ignore_errors=True)
    stack.callback(server.kill)
    return server


def _requests(server: Seaweed) -> int:
    """Return how many requests the store's S3 interface has served."""
    with urllib.request.urlopen(f"http://127.0.0.1:{server.metrics_port}/metrics") as answer:
        text = answer.read().decode("utf-8")
    found = re.findall(r"^SeaweedFS_s3_request_total\{[^}]*\} (\S+)$", text, re.MULTILINE)
    return round(sum(float(number) for number in found))


if __name__ == "__main__":
    raise SystemExit(main())

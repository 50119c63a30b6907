# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How fast one archive gets into an object store: by this collection, by boto3's transfers, and by rclone.

Every round has all three one after the other, each into a place of its own in a private SeaweedFS on this machine, so
that ratios hold on a machine that is busy too. Ours hashes the whole file and every part; the store checks both.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import statistics
import subprocess
import sys
import time

from support.seaweed import Seaweed

MIB = 1 << 20
_OURS = """
import sys
from pathlib import Path
from backupdb.repository.stores.interface import Upload
from backupdb.repository.stores.patience import Patience
from backupdb.repository.stores.registry import open_store
from backupdb.repository.stores.settings import copy_from
from support.stores import Count
url, bucket, name, path, size, sha256, key, secret = sys.argv[1:]
options = {"name": "offsite", "type": "s3", "bucket": bucket, "endpoint": url, "addressing": "path"}
copy = copy_from(options, "copy", {"access_key_id": key, "secret_access_key": secret})
place = f"h/i/d/20261124T021500Z-{name}"
arrival = open_store(copy, Patience(60)).arrival(place, Count())
arrival.put(Upload(Path(path), f"{place}/data", int(size), sha256))
print(int(open("/proc/self/status").read().partition("VmHWM:")[2].split()[0]))
"""
_TRANSFERS = """
import sys, boto3
from botocore.config import Config
url, bucket, name, path, size, sha256, key, secret = sys.argv[1:]
client = boto3.client("s3", endpoint_url=url, region_name="us-east-1", aws_access_key_id=key,
    aws_secret_access_key=secret, config=Config(s3={"addressing_style": "path"}))
client.upload_file(path, bucket, f"transfers/{name}")
print(int(open("/proc/self/status").read().partition("VmHWM:")[2].split()[0]))
"""


def main() -> int:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(prog="./tools/bench-copy", description=__doc__)
    parser.add_argument("--mib", type=int, default=1024, help="size of the file (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="how often each is measured (default: %(default)s)")
    options = parser.parse_args()
    server = Seaweed().start()
    try:
        times, memory = measured(server, options.mib, options.rounds)
    finally:
        server.kill()
    print(f"{options.mib} MiB into SeaweedFS on this machine, {options.rounds} rounds, median and all, in seconds")
    for name, found in times.items():
        ratio = statistics.median(ours / other for ours, other in zip(times["vya.backupdb"], found))
        all_of_them = " ".join(f"{seconds:.2f}" for seconds in found)
        peak = f", peak {max(memory[name]) / 1024:.0f} MiB" if memory[name] else ""
        print(f"  {name:14} {statistics.median(found):6.2f}  ({all_of_them}){peak}; ours is {ratio:.2f} of it")
    return 0


def measured(server: Seaweed, mib: int, rounds: int) -> tuple[dict[str, list[float]], dict[str, list[int]]]:
    """Return seconds, and peak memory in KiB, by name."""
    bucket = server.bucket("bench-copy")
    path = server.folder / "archive"
    digest = hashlib.sha256()
    with path.open("wb") as file:
        for _number in range(mib):
            block = os.urandom(MIB)
            digest.update(block)
            file.write(block)
    key = server.key("admin")
    words = [str(path), str(mib * MIB), digest.hexdigest(), key["access_key_id"], key["secret_access_key"]]
    config = server.folder / "rclone.conf"
    config.touch(mode=0o600)
    config.write_text(
        f"[bench]\ntype = s3\nprovider = Other\nendpoint = {server.url}\naccess_key_id = {words[3]}\n"
        f"secret_access_key = {words[4]}\n",
        encoding="utf-8",
    )
    times: dict[str, list[float]] = {name: [] for name in ("vya.backupdb", "s3transfer", "rclone copyto")}
    memory: dict[str, list[int]] = {name: [] for name in times}
    for number in range(rounds):
        name = f"{number:08x}"
        for what, argv in (
            ("vya.backupdb", [sys.executable, "-c", _OURS, server.url, bucket, name, *words]),
            ("s3transfer", [sys.executable, "-c", _TRANSFERS, server.url, bucket, name, *words]),
            ("rclone copyto", ["rclone", f"--config={config}", "copyto", str(path), f"bench:{bucket}/rclone/{name}"]),
        ):
            began = time.monotonic()
            done = subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True)
            times[what].append(time.monotonic() - began)
            memory[what] += [int(done.stdout)] if done.stdout.strip().isdigit() else []
        _empty(server, bucket)
    return times, memory


def _empty(server: Seaweed, bucket: str) -> None:
    """Give the disk back between rounds."""
    client = server.client()
    for name in server.names(bucket):
        client.delete_object(Bucket=bucket, Key=name)


if __name__ == "__main__":
    raise SystemExit(main())

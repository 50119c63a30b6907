# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What it costs to list, judge and prune a repository of very many backups. No server is asked.

The backups are one that the library has made, many times under other names, of hosts with thirty databases each.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import statistics
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from backupdb.repository import layout
from backupdb.repository.drill_records import drill_file
from backupdb.repository.manifest import parse, serialise
from backupdb.system.text import iso, utc_now
from support.library import LIBRARY
from support.samples import SAMPLES

from .measure import Cost, cost_of

_SAMPLE = SAMPLES / "version_1_0_0_dev/repository/db1/pg15/shop/20261128T143407Z-9a1112f2"
_DATABASES = 300  # at most: of more backups each database has more
_OF_A_HOST = 30
_DRILLED = 10  # one of so many backups was drilled
_HOUR = timedelta(hours=1)
_TOOK = timedelta(seconds=9)
# Without what may be set for tests: Python neither compiles all anew at each start nor writes each line by itself.
_ENVIRONMENT = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": "/nonexistent"}

Round = Mapping[str, Mapping[str, Cost]]  # by command, then by checkout


def measured(folder: Path, count: int, rounds: int, beside: Path | None) -> str:
    """Measure each command on `count` backups, of this checkout and of another one; return a table in Markdown."""
    template, repository = folder / "template", folder / "repository"
    fill(template, count)
    checkouts = {"": LIBRARY}
    if beside is not None:
        checkouts[beside.name] = beside.resolve() / "plugins" / "module_utils"
    done = [_round(template, repository, count, checkouts, number) for number in range(rounds)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in _table(done))


def commands(repository: Path, count: int) -> Mapping[str, Sequence[str]]:
    """Return what is measured; the prune, which removes about half of all, comes last."""
    place = ["--repository", str(repository)]
    half = ["--keep-last", str(max(1, count // databases_of(count) // 2))]
    return {
        "list --json": ["list", str(repository), "--json"],
        "list": ["list", str(repository)],
        "list --host db00 --json": ["list", str(repository), "--host", "db00", "--json"],
        "status --json": ["status", *place, "--max-age", "2d", "--json"],
        "prune --check": ["prune", *place, *half, "--check"],
        "prune": ["prune", *place, *half],
    }


def databases_of(count: int) -> int:
    """Return of how many databases so many backups are."""
    return max(1, min(_DATABASES, count // 10))


def fill(root: Path, count: int) -> None:
    """Make a repository of `count` backups, an hour apart, without waiting for the disk."""
    manifest = parse((_SAMPLE / layout.MANIFEST_FILE).read_bytes(), "the sample")
    drill = json.loads(next(_SAMPLE.glob("drill-*.json")).read_bytes())
    newest = utc_now().replace(minute=0, second=0, microsecond=0)
    databases = databases_of(count)
    for number in range(count):
        age, database = divmod(number, databases)
        host, name = f"db{database // _OF_A_HOST:02}", f"shop{database:03}"
        time = newest - age * _HOUR
        run_id = hashlib.sha256(f"{host} {age}".encode("ascii")).hexdigest()[:32]
        folder = root / host / "main" / name / layout.backup_folder(time, run_id)
        folder.mkdir(parents=True)
        ended = iso(time + _TOOK)
        own = {"host": host, "instance": "main", "database": name, "backup_id": folder.name, "run_id": run_id}
        content = serialise({**manifest, **own, "started": iso(time), "finished": ended})
        (folder / layout.MANIFEST_FILE).write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        (folder / layout.CHECKSUM_FILE).write_text(f"{digest}  {layout.MANIFEST_FILE}\n", encoding="ascii")
        for archive in manifest["archives"]:
            (folder / archive["name"]).write_bytes(bytes(archive["stored_bytes"]))
        if number % _DRILLED == 0:
            record = {**drill, "backup_id": folder.name, "database": name, "finished": ended}
            (folder / drill_file(record)).write_text(json.dumps(record, indent=2) + "\n", encoding="ascii")


def _round(template: Path, repository: Path, count: int, checkouts: Mapping[str, Path], number: int) -> Round:
    """Let all checkouts do each command one after the other; who is first turns."""
    names = sorted(checkouts, reverse=number % 2 == 1)
    costs: dict[str, dict[str, Cost]] = {}
    for command, words in commands(repository, count).items():
        for name in names:
            if command == "prune" or not repository.exists():
                shutil.rmtree(repository, ignore_errors=True)
                shutil.copytree(template, repository)
            environment = {**_ENVIRONMENT, "PYTHONPATH": str(checkouts[name])}
            cost = cost_of([sys.executable, "-m", "backupdb.cli.main", *words], environment)
            costs.setdefault(command, {})[name] = cost
    shutil.rmtree(repository)
    return costs


def _table(rounds: Sequence[Round]) -> Iterator[list[str]]:
    """Yield rows: seconds of processor and on the clock, the median and the least; and what ours take of others'."""
    others = [name for name in rounds[0]["prune"] if name]
    titles = ["", "processor", "wall", "peak memory"]
    titles += [title for name in others for title in (f"processor, {name}", f"ours : {name}")]
    yield titles
    yield ["---", *["---:"] * (len(titles) - 1)]
    for command in rounds[0]:
        costs = [one[command][""] for one in rounds]
        processor = [cost.processor for cost in costs]
        peak = max(cost.peak for cost in costs)
        row = [command, _seconds(processor), _seconds([cost.wall for cost in costs]), f"{peak:.0f} MiB"]
        for name in others:
            theirs = [one[command][name].processor for one in rounds]
            ratios = [mine / other for mine, other in zip(processor, theirs)]
            row += [_seconds(theirs), f"{statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})"]
        yield row


def _seconds(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.2f} s (least {min(values):.2f})"

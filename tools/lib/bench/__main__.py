# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure a scenario. Every round has every contender once, in an order that turns, so that ratios hold on a machine
that is busy too.
"""

from __future__ import annotations

import argparse
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from support import mysql_sid, run_state
from support.servers import make_server

from . import catalogue, stages
from .contenders import Place
from .data import fill, fill_databases, fill_tables
from .measure import Cost, cost_of, table, table_of_plays
from .plays import Plays

_OWN_WORK = "ours, jobs without a play"
Contenders = Mapping[str, Callable[[], list[str]]]


@contextmanager
def one_database(place: Place, options: argparse.Namespace) -> Iterator[Contenders]:
    """One database of --mib MiB: the client alone, what people write into cron, PostgreSQL's own parallel dump."""
    fill(place.server, "big", options.mib)
    yield {**_dumps(place), **(_peers(place) if options.peers else {})}


def _peers(place: Place) -> Contenders:
    found = {"client, restic": lambda: place.restic("big"), "client, borg": lambda: place.borg("big")}
    if place.server.engine != "postgresql":
        found["mydumper -t2 -c, plain"] = lambda: place.mydumper("big")
    return found


@contextmanager
def many_tables(place: Place, options: argparse.Namespace) -> Iterator[Contenders]:
    """One database of --count small tables."""
    fill_tables(place.server, "big", options.count)
    yield _dumps(place)


def _dumps(place: Place) -> Contenders:
    found = {
        "ours, jobs 1": lambda: place.job(["big"]),
        "ours, jobs 2": lambda: place.job(["big"], jobs=2),
        "client alone": lambda: place.bare("big"),
        "client, zstd -3, age": lambda: place.pipeline("big", 3),
        "client, zstd -1, age": lambda: place.pipeline("big", 1),
    }
    if place.server.engine == "postgresql":
        found["pg_dump -Fd -j2 -Z1, plain"] = lambda: place.directory("big")
    return found


@contextmanager
def small_databases(place: Place, options: argparse.Namespace) -> Iterator[Contenders]:
    """--count databases of five small tables, two at once, beside a shell loop of two at once."""
    names = fill_databases(place.server, options.count)
    yield {"ours, workers 2": lambda: place.job(names, workers=2), "shell loop": lambda: place.loop(names)}


@contextmanager
def restore(place: Place, options: argparse.Namespace) -> Iterator[Contenders]:
    """One database of --mib MiB back from our archives, from what cron has stored, from PostgreSQL's own folder."""
    fill(place.server, "big", options.mib)
    place.clear()
    # Two parts whatever the size is: one could not be loaded by two clients.
    cost_of(place.job(["big"], jobs=2, jobs_min_size="1M"), place.environment)
    cost_of(place.pipeline("big", 1), place.environment)
    is_postgresql = place.server.engine == "postgresql"
    if is_postgresql:
        cost_of(place.directory("big"), place.environment)
    place.clear = lambda: place.server.sql("DROP DATABASE IF EXISTS back") and None  # type: ignore[method-assign]
    yield {
        "ours, jobs 1": lambda: place.restore("big", 1),
        "ours, jobs 2": lambda: place.restore("big", 2),
        "age, zstd, client": lambda: place.unpipe("big"),
        **({"pg_restore -j2, plain": place.undirectory} if is_postgresql else {}),
    }


@contextmanager
def play(place: Place, options: argparse.Namespace) -> Iterator[Contenders]:
    """The playbooks on --hosts prepared hosts, beside jobs that do the same, and beside what any two calls take."""
    plays = Plays(place, options.hosts)
    cost_of(plays.play("backup"), place.environment)  # prepares them
    yield {
        "ours, backup": lambda: plays.play("backup"),
        "ours, status": lambda: plays.play("status"),
        _OWN_WORK: plays.jobs,
        "two calls of ping": plays.calls,
    }


SCENARIOS = {
    "one-database": (one_database, ("ours, jobs 1", "ours, jobs 2")),
    "many-tables": (many_tables, ("ours, jobs 1", "ours, jobs 2")),
    "small-databases": (small_databases, ("ours, workers 2",)),
    "restore": (restore, ("ours, jobs 1", "ours, jobs 2")),
    "play": (play, ("ours, backup", "ours, status")),
}


def main() -> int:
    """Fill a private server, measure, and print a table in Markdown."""
    parser = argparse.ArgumentParser(prog="./tools/bench", description=__doc__)
    parser.add_argument("scenario", choices=[*SCENARIOS, "stages", "catalogue"])
    parser.add_argument("--engine", default="postgres15", help="or mariadb, mysql, postgres18 (default: %(default)s)")
    parser.add_argument("--mib", type=float, default=1024, help="size of a dump (default: %(default)s)")
    parser.add_argument("--count", type=int, help="how many tables or databases (default: 300), or backups (10,000)")
    parser.add_argument("--hosts", type=int, default=5, help="how many hosts of a play (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="how often each is measured (default: %(default)s)")
    parser.add_argument("--beside", type=Path, help="another checkout of this project, to be measured too")
    parser.add_argument("--peers", action="store_true", help="beside restic, borg and mydumper too, of one database")
    parser.add_argument(
        "--setting", action="append", default=[], metavar="NAME=VALUE", help="of the server, such as fsync=on"
    )
    parser.add_argument("--only-ours", action="store_true", help="leave out what others do")
    options = parser.parse_args()
    folder = run_state.new_folder("bench")
    if options.scenario == "catalogue":
        return _catalogue(folder, options.count or 10_000, options)
    if options.scenario == "stages":
        return _stages(folder, options)
    options.count = options.count or 300
    prepare, ours = SCENARIOS[options.scenario]
    _programs_of(options.engine)
    try:
        settings = dict(setting.split("=", 1) for setting in options.setting)
        with make_server(options.engine, settings=settings) as server:
            place = Place(folder / "place", server)
            with prepare(place, options) as known:
                contenders = dict(known)
                for name in ours if options.beside else ():
                    contenders[f"{name}, {options.beside.name}"] = partial(
                        _of_checkout, place, options.beside.resolve(), known[name]
                    )
                if options.only_ours:
                    contenders = {name: make for name, make in contenders.items() if name.startswith("ours")}
                rounds = [_round(place, contenders, number) for number in range(options.rounds)]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    size = next(word for word in ("hosts", "count", "mib") if f"--{word}" in str(prepare.__doc__))
    what = f"--{size} {getattr(options, size):g}"
    what += "".join(f" --setting {setting}" for setting in options.setting)
    print(f"`./tools/bench {options.scenario} --engine {options.engine} {what} --rounds {options.rounds}`\n")
    print(table_of_plays(rounds, ours, options.hosts, _OWN_WORK) if size == "hosts" else table(rounds, ours))
    return 0


def _catalogue(folder: Path, count: int, options: argparse.Namespace) -> int:
    """The commands that read a whole repository, on --count backups; no server is needed."""
    try:
        rows = catalogue.measured(folder, count, options.rounds, options.beside)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"`./tools/bench catalogue --count {count} --rounds {options.rounds}`\n")
    print(rows)
    return 0


def _stages(folder: Path, options: argparse.Namespace) -> int:
    """What each stage of the dump of one database of --mib MiB takes by itself."""
    _programs_of(options.engine)
    try:
        with make_server(options.engine) as server:
            rows = stages.measured(Place(folder / "place", server), options.mib, options.rounds)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"`./tools/bench stages --engine {options.engine} --mib {options.mib:g} --rounds {options.rounds}`\n")
    print(rows)
    return 0


def _of_checkout(place: Place, checkout: Path, make: Callable[[], list[str]]) -> list[str]:
    """The command of ours as another checkout has it."""
    ours, place.library = place.library, checkout / "plugins" / "module_utils"
    try:
        return make()
    finally:
        place.library = ours


def _programs_of(engine: str) -> None:
    """Let the clients of the engine be found by those who are measured."""
    if engine == "mysql":
        os.environ["PATH"] += f":{mysql_sid.programs()}"


def _round(place: Place, contenders: Contenders, number: int) -> dict[str, Cost]:
    names = list(contenders)
    turned = names[number % len(names) :] + names[: number % len(names)]
    costs = {}
    for name in turned:
        place.clear()
        costs[name] = cost_of(contenders[name](), place.environment, place.host_times)
    return {name: costs[name] for name in names}


if __name__ == "__main__":
    raise SystemExit(main())

# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Damage to a stored backup: flipped bits, truncations and additions, in every file of it; verify must find each.

The number of such a case says how many of them are tried in its file, evenly spread; the deed is `LEVEL:FILE`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from backupdb.archives.keys import load_identities
from backupdb.verify import one_backup as verify
from support.library import KEYS

from chaos import checks
from chaos.case import Case
from chaos.world import World

STAGE = "verify"
FLIP, CUT = "flip", "cut"
FAULTS = (FLIP, CUT)
_FLIPS, _CUTS = 1000, 200


def cases(world: World) -> Iterator[Case]:
    """Yield the cases: every file of a database's backup and of an accounts' one."""
    world.new_case()
    for folder in _folders(world):
        for path in sorted(folder.iterdir()):
            name = f"{folder.parent.name}:{path.name}"
            yield Case(STAGE, world.engine, FLIP, min(_FLIPS, path.stat().st_size * 8), f"digest:{name}")
            yield Case(STAGE, world.engine, CUT, min(_CUTS, path.stat().st_size), f"digest:{name}")
            if path.name.endswith(".age"):
                yield Case(STAGE, world.engine, FLIP, min(_FLIPS, path.stat().st_size * 8), f"decrypt:{name}")


def run(case: Case, world: World) -> tuple[int, list[str]]:
    """Damage the file again and again; return how often, and what was not found."""
    world.new_case()
    level, subject, name = case.deed.split(":")
    folder = next(folder for folder in _folders(world) if folder.parent.name == subject)
    path = folder / name
    whole = path.read_bytes()
    missed = []
    for what, content in _damaged(case, whole):
        path.write_bytes(content)
        if _is_good(folder, level):
            missed.append(f"{path} with {what} is good at level {level}")
    path.write_bytes(whole)
    if not _is_good(folder, level):
        missed.append(f"{folder} is whole, and is not good at level {level}")
    return case.number + (2 if case.fault == CUT else 0), missed


def _damaged(case: Case, whole: bytes) -> Iterator[tuple[str, bytes]]:
    if case.fault == CUT:
        for number in range(case.number):
            length = number * len(whole) // case.number
            yield f"{length} of {len(whole)} bytes", whole[:length]
        yield "one more byte", whole + b"\0"
        yield "one more line", whole + b"\n"
        return
    for number in range(case.number):
        bit = number * len(whole) * 8 // case.number
        changed = bytearray(whole)
        changed[bit // 8] ^= 1 << bit % 8
        yield f"bit {bit} flipped", bytes(changed)


def _is_good(folder: Path, level: str) -> bool:
    identities = load_identities(KEYS) if level == "decrypt" else []
    return bool(verify.verify_path(folder, level=level, identities=identities)["verdict"] == verify.GOOD)


def _folders(world: World) -> list[Path]:
    """The newest backup of each subject."""
    newest = {folder.parent: folder for folder in checks.backups_in(world.repository)}
    return list(newest.values())

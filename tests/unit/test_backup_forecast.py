# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a backup will take, and who waits for whom where there is not much room."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest
from backupdb.backup import space as space_module
from backupdb.backup.forecast import LEAST, Forecast, forecast
from backupdb.backup.space import Space, shortage
from backupdb.engines.postgresql.engine import PostgresqlEngine
from backupdb.engines.values import Database
from backupdb.errors import Interrupted, NotEnoughSpace
from backupdb.repository.catalogue import StoredBackup
from backupdb.system.text import parse_iso

MIB = 1 << 20
EMPTY = PostgresqlEngine.EMPTY_BYTES


def database(size: int | None) -> Database:
    return Database("shop", size, None, None, None, None, is_system=False, connectable=True)


def last(stored: int, size: int, *, compression: str = "zstd", plain: int = 0) -> StoredBackup:
    archive = {"compression": compression}
    manifest = {"stored_bytes": stored, "size_bytes": size, "plain_bytes": plain, "archives": [archive]}
    return StoredBackup(Path("/r/h/i/shop/x"), parse_iso("2026-11-24T02:15:00Z"), manifest)


def of(size: int | None, before: StoredBackup | None = None, compression: str = "zstd") -> Forecast:
    found = forecast(database(size), before, compression=compression, empty_bytes=EMPTY)
    assert found is not None
    assert found.least <= found.likely <= found.most
    return found


def test_a_first_backup_is_guessed_from_the_size_of_what_is_in_the_database() -> None:
    """A database of 28 MiB whose archive had 1.8 MiB was refused on a disk of 20 MiB."""
    guess = of(28 * MIB)
    assert guess.least < 1.8 * MIB < guess.likely < 20 * MIB < guess.most
    assert guess.confidence == "low"
    assert guess.text.endswith("guessed from the size of the database, 28.0 MiB, as there is no backup of it")
    assert of(EMPTY).most == LEAST
    assert of(28 * MIB, compression="none").likely > guess.likely
    assert forecast(database(None), None, compression="zstd", empty_bytes=0) is None


def test_an_earlier_backup_tells_more_than_a_size() -> None:
    known = of(EMPTY + 100 * MIB, last(10 * MIB, EMPTY + 100 * MIB))
    assert (known.least, known.likely, known.most) == (5 * MIB, 11 * MIB, 20 * MIB)
    assert (known.confidence, known.basis) == ("high", "from its last backup of 10.0 MiB")
    grown = of(EMPTY + 201 * MIB, last(10 * MIB, EMPTY + 100 * MIB))
    assert grown.likely == pytest.approx(22 * MIB, rel=0.01)
    assert grown.basis == "from its last backup of 10.0 MiB, scaled as the database has changed since"
    # Of an empty database hardly anything changes when a few rows come.
    assert of(EMPTY + 8192, last(2000, EMPTY)).most < 2 * LEAST
    assert of(None, last(10 * MIB, 100 * MIB)).likely == 11 * MIB


def test_a_change_of_compression_makes_it_a_guess_again() -> None:
    size = EMPTY + 100 * MIB
    now = of(size, last(50 * MIB, size, compression="none", plain=50 * MIB))
    assert now.confidence == "low"
    assert now.likely == int(12.5 * MIB)
    assert of(size, last(5 * MIB, size, plain=50 * MIB), "none").likely == 55 * MIB


def figures(least: int, likely: int) -> Forecast:
    return Forecast(least, likely, 2 * likely, "low", "a test")


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """How many bytes are free, to be changed."""
    state = {"bytes": 100 * MIB}
    monkeypatch.setattr(space_module, "free_bytes", lambda _path: state["bytes"])
    return state


def test_only_what_cannot_fit_is_refused(free: dict[str, int], tmp_path: Path) -> None:
    space = Space(tmp_path, threading.Event())
    space.require(figures(100 * MIB, 900 * MIB))
    space.require(None)
    with pytest.raises(NotEnoughSpace, match=r"at least 101.0 MiB are needed and 100.0 MiB are free.*low confidence"):
        space.require(figures(101 * MIB, 101 * MIB))
    with pytest.raises(NotEnoughSpace, match=r"40.0 MiB are free"):
        space.require(figures(50 * MIB, 50 * MIB), taken=60 * MIB)
    free["bytes"] = 0
    with pytest.raises(NotEnoughSpace):
        space.require(None)


def test_what_likely_does_not_fit_beside_another_backup_waits_for_its_end(free: dict[str, int], tmp_path: Path) -> None:
    space = Space(tmp_path, threading.Event())
    told: list[bool] = []
    began = threading.Event()

    def second() -> None:
        with space.promise(figures(MIB, 60 * MIB), told.append):
            began.set()

    with space.promise(figures(MIB, 60 * MIB), told.append):
        thread = threading.Thread(target=second)
        thread.start()
        assert not began.wait(0.3)
        free["bytes"] = 50 * MIB  # the first one has written: what is promised to it counts no more when it has ended
    assert began.wait(5)
    thread.join()
    assert told[:2] == [False, True]
    assert told[-1] is False


def test_who_waits_for_space_heeds_the_order_to_stop(free: dict[str, int], tmp_path: Path) -> None:
    cancel = threading.Event()
    space = Space(tmp_path, cancel)
    with space.promise(figures(MIB, 60 * MIB), lambda _waiting: None):
        threading.Timer(0.2, cancel.set).start()
        began = time.monotonic()
        with pytest.raises(Interrupted), space.promise(figures(MIB, 60 * MIB), lambda _waiting: None):
            raise AssertionError("it has begun")
        assert time.monotonic() - began < 3


@pytest.mark.parametrize(("likely", "warned"), [([50, 50], False), ([60, 50], True), ([], False)])
def test_a_run_warns_when_its_backups_will_likely_not_fit_together(likely: list[int], warned: bool) -> None:
    forecasts: list[Any] = [None, *(figures(MIB, size * MIB) for size in likely)]
    warning = shortage(forecasts, 100 * MIB, "/srv/backups")
    assert (warning is not None) == warned
    if warning:
        assert "100.0 MiB are free in /srv/backups, and the backups will likely take 110.0 MiB" in warning
        assert "2 of 2 forecasts are guesses" in warning
    assert shortage(forecasts, None, "/srv/backups") is None

# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one table of engines, and which of them serves an instance. A new engine is a folder, a name, an entry."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from ..connection.instance import Instance
from ..connection.server import Server, require_libraries
from ..errors import InvalidOption
from .interface import Engine
from .names import ENGINE_NAMES, MARIADB, MYSQL, POSTGRESQL


def _postgresql() -> type[Engine]:
    from .postgresql.engine import PostgresqlEngine

    return PostgresqlEngine


def _mysql() -> type[Engine]:
    from .mysql.mysql import MysqlEngine

    return MysqlEngine


def _mariadb() -> type[Engine]:
    from .mysql.mariadb import MariadbEngine

    return MariadbEngine


# Imported when asked for: an engine is half of the library, and from a module's archive Python compiles all that it
# imports at every start.
_ENGINES: Mapping[str, Callable[[], type[Engine]]] = {
    POSTGRESQL: _postgresql,
    MYSQL: _mysql,
    MARIADB: _mariadb,
}


def find_engine(vendor: str) -> type[Engine] | None:
    """Return the engine of a vendor, as manifests and options name it; None for one that is not known."""
    load = _ENGINES.get(vendor)
    return load() if load else None


def engine_of(vendor: str) -> type[Engine]:
    """Return the engine of a vendor; raises `InvalidOption` for one that is not known."""
    engine = find_engine(vendor)
    if engine is None:
        raise InvalidOption(f"engine {vendor!r} is not known; use one of {', '.join(ENGINE_NAMES)}")
    return engine


def require_driver(instance: Instance) -> None:
    """Raise `RequirementMissing` when a library that a connection to the instance needs is not installed."""
    require_libraries(engine_of(instance.engine).DRIVER)


@contextmanager
def open_engine(instance: Instance, cancel: threading.Event | None = None) -> Iterator[Engine]:
    """Connect to the instance and give the engine of its real vendor.

    Long waits end when `cancel` is set.

    `mysql` and `mariadb` are one protocol: which of the two answers is asked, not believed.
    """
    asked = engine_of(instance.engine)
    with Server(instance, driver=asked.DRIVER, cancel=cancel) as server:
        vendor = asked.detect_vendor(server)
        engine = find_engine(vendor)
        if engine is None:
            raise InvalidOption(f"{instance.where()}: the server is {vendor}, which this collection does not know")
        yield engine(server)

# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which engine serves an instance. A new engine is its file and one line here."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from ..connection.instance import Instance
from ..connection.server import Server, require
from ..errors import InvalidOption
from .interface import Engine
from .mysql import mariadb, mysql
from .postgresql import engine as postgresql

_ENGINES: tuple[Engine, ...] = (postgresql, mysql, mariadb)
ENGINE_NAMES = ("postgresql", "mysql", "mariadb")


def require_driver(instance: Instance) -> None:
    """Raise `RequirementMissing` when a library that a connection to the instance needs is not installed."""
    require("sqlalchemy", _asked(instance).DRIVER.rpartition("+")[2])


@contextmanager
def open_server(instance: Instance, cancel: threading.Event | None = None) -> Iterator[tuple[Engine, Server]]:
    """Connect to the instance and give the engine of its real vendor with an open server.

    Long waits end when `cancel` is set.

    `mysql` and `mariadb` are one protocol: which of the two answers is asked, not believed.
    """
    asked = _asked(instance)
    with Server(instance, driver=asked.DRIVER, default_database=asked.DEFAULT_DATABASE, cancel=cancel) as server:
        vendor = asked.detect(server)
        engine = next((engine for engine in _ENGINES if vendor in engine.VENDORS), None)
        if engine is None:
            raise InvalidOption(f"{instance.where()}: the server is {vendor}, which this collection does not know")
        yield engine, server


def _asked(instance: Instance) -> Engine:
    """Return the engine that the user named."""
    asked = next((engine for engine in _ENGINES if instance.engine in engine.VENDORS), None)
    if asked is None:
        raise InvalidOption(f"engine {instance.engine!r} is not known; use one of {', '.join(ENGINE_NAMES)}")
    return asked

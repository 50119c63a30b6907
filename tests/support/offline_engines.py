# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Engines with facts that a test says, where no server is asked for them."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any, TypeVar, cast

from backupdb.connection.server import Server
from backupdb.engines.interface import Engine
from backupdb.engines.values import ServerFacts

_Engine = TypeVar("_Engine", bound=Engine)


def offline(engine: type[_Engine], *version: int, **settings: Any) -> _Engine:
    """An engine without a server, of this version and with these settings."""
    made = engine(cast(Server, None))
    made._facts = ServerFacts(engine.VENDOR, ".".join(map(str, version)), version, "primary", None, settings)
    return made


def with_facts(engine: _Engine, **changes: Any) -> _Engine:
    """The same engine, but for some facts."""
    other = copy.copy(engine)
    other._facts = replace(engine.facts, **changes)
    return other

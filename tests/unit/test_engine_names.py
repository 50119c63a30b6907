# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every engine has its name, its class and its check of archives."""

from __future__ import annotations

import pytest
from backupdb.engines import format_checks, registry
from backupdb.engines.names import ENGINE_NAMES


@pytest.mark.parametrize("name", ENGINE_NAMES)
def test_an_engine_is_found_by_its_name(name: str) -> None:
    assert name == registry.engine_of(name).VENDOR
    check = format_checks.check_of_engine({"engine": name, "client": {"version": "0"}}, {"format": "unknown"})
    assert check is not None
    check.close()


def test_all_tables_have_the_same_engines() -> None:
    assert tuple(registry._ENGINES) == tuple(format_checks._CHECKS) == ENGINE_NAMES

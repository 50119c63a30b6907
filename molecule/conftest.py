# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of all scenarios share."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.fleet import Fleet, FleetAnsible


@pytest.fixture
def fleet() -> Fleet:
    return Fleet()


@pytest.fixture
def ansible(tmp_path: Path) -> FleetAnsible:
    return FleetAnsible(tmp_path)

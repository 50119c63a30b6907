# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller after the kit was applied to it once, which takes half a minute, for all tests."""

from __future__ import annotations

import pytest
from support import run_state
from support.ansible import Ansible
from support.awx_kit import FIRST, PLAYBOOKS, Applied, apply
from support.awx_server import awx_controller


@pytest.fixture(scope="session")
def first() -> Applied:
    """The objects after the first apply, and what it showed with -vvv."""
    with awx_controller(PLAYBOOKS) as awx:
        run = apply(Ansible(run_state.new_folder("k")), awx, extra_vars=FIRST, verbosity=3)
        assert run.returncode == 0, run.output
        return Applied(awx.objects, run.output)

# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Coverage of what tests start with an environment of their own choice, and tests that are better not measured."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

# By this variable coverage tells a Python process that it is to be measured (`patch = subprocess`).
_VARIABLE = "COVERAGE_PROCESS_CONFIG"
# By this one the callback record_results is told to set the other for the modules.
_MODULES_VARIABLE = "BACKUPDB_TEST_MEASURING"


def measuring() -> dict[str, str]:
    """What such an environment needs beside, so that the process is measured when the test itself is."""
    return {_VARIABLE: os.environ[_VARIABLE]} if _VARIABLE in os.environ else {}


def measuring_modules() -> dict[str, str]:
    """What the environment of ansible-playbook needs beside, so that the modules are measured when the test is."""
    return {_MODULES_VARIABLE: os.environ[_VARIABLE]} if _VARIABLE in os.environ else {}


@contextmanager
def not_measuring() -> Iterator[None]:
    """Measure neither this process nor those that it starts until the block is left."""
    coverage = sys.modules.get("coverage")
    current = coverage.Coverage.current() if coverage is not None else None
    if current is None:
        yield
        return
    configuration = os.environ.pop(_VARIABLE, None)
    current.stop()
    try:
        yield
    finally:
        if configuration is not None:
            os.environ[_VARIABLE] = configuration
        current.start()

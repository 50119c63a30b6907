# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of pages share: a browser, and the reports as files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from backupdb.report.as_html import html_of
from backupdb.report.fleet import Look, fleet_of
from support.browser import Browser, browser
from support.reported import NOW, every_state, large


@pytest.fixture(scope="session")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One window for all tests; each opens its page anew."""
    with browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


def _written(folder: Path, looks: list[Look], title: str) -> Path:
    path = folder / "report.html"
    path.write_text(html_of(fleet_of(looks, now=NOW, title=title)), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a small fleet with every state in it."""
    return _written(tmp_path_factory.mktemp("small"), every_state(), "Backups of example.org")


@pytest.fixture(scope="session")
def large_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of 300 hosts with 10 databases each, some with hostile names."""
    return _written(tmp_path_factory.mktemp("large"), large(300, 10), "Backups of a large fleet")


@pytest.fixture(scope="session")
def empty_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of nothing at all."""
    return _written(tmp_path_factory.mktemp("empty"), [], "Backups")

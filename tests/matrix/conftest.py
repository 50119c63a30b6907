# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which versions are tried, their servers, and the table at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from support.versions import VERSIONS, AnyServer, Version

COLUMNS = {
    "test_round_trip": "backup, verify, restore",
    "test_drill": "drill",
    "test_accounts": "accounts",
    "test_backup_login": "backup login",
    "test_upward": "restored into the next",
}
GOOD = "equal"  # the backup of the backup login is restored and compared too
TABLE = pytest.StashKey[dict[str, dict[str, str]]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--versions", default="", help="names of versions, with commas; all of them without this")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[TABLE] = {}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    names = [name for name in metafunc.config.getoption("versions").split(",") if name]
    wanted = [version for version in VERSIONS if not names or version.name in names]
    if "pair" in metafunc.fixturenames:
        pairs = [pair for pair in zip(wanted, wanted[1:]) if _neighbours(*pair)]
        metafunc.parametrize("pair", pairs, ids=[f"{older.name}-to-{newer.major}" for older, newer in pairs])
    else:
        metafunc.parametrize("version", wanted, ids=[version.name for version in wanted])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without two neighbours among the versions there is no test of a pair, rather than one that is left out."""
    items[:] = [item for item in items if isinstance(_parameters(item).get("pair", ()), tuple)]


def _parameters(item: pytest.Item) -> dict[str, Any]:
    found: dict[str, Any] = item.callspec.params  # type: ignore[attr-defined]
    return found


def _neighbours(older: Version, newer: Version) -> bool:
    same = [version for version in VERSIONS if version.engine == older.engine]
    return (older, newer) in zip(same, same[1:])


@pytest.fixture(scope="session")
def server_of(pytestconfig: pytest.Config) -> Iterator[Callable[[Version], AnyServer]]:
    """The session's server of a version, started at its first use: a test removes what it made."""
    started: dict[str, AnyServer] = {}
    with ExitStack() as stack:

        def give(version: Version) -> AnyServer:
            if version.name not in started:
                started[version.name] = stack.enter_context(version.server())
                row = pytestconfig.stash[TABLE].setdefault(version.name, {})
                row["server"] = version.version_of(started[version.name])
                row["clients"] = version.version_of_clients()
            return started[version.name]

        yield give


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    report: pytest.TestReport = yield
    function = getattr(item, "originalname", "")
    if function in COLUMNS and (report.when == "call" or report.failed):
        parameters = _parameters(item)
        version: Version = parameters.get("version") or parameters["pair"][0]
        row = item.config.stash[TABLE].setdefault(version.name, {})
        # The worst of several: what a drill says where it is not plainly "equal", and above all a failure.
        outcome = dict(report.user_properties).get("verdict", GOOD) if report.passed else "FAILED"
        if row.get(function, GOOD) == GOOD or outcome == "FAILED":
            row[function] = str(outcome)
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    table = terminalreporter.config.stash[TABLE]
    terminalreporter.section("the matrix")
    headings = ["version", "server", "clients", *COLUMNS.values()]
    terminalreporter.write_line(f"| {' | '.join(headings)} |")
    terminalreporter.write_line("|" + " --- |" * len(headings))
    for version in VERSIONS:
        if version.name in table:
            row = table[version.name]
            cells = [version.name, *(row.get(name, "-") for name in ("server", "clients", *COLUMNS))]
            terminalreporter.write_line(f"| {' | '.join(cells)} |")

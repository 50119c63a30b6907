# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/coverage.md says of every catalogue of the servers what becomes of it; a new one must not be passed over."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.servers import PrivatePostgres

PAGE = Path(__file__).parents[2] / "docs" / "coverage.md"
_CATALOGUES = """
    SELECT relname FROM pg_class
     WHERE relnamespace = 'pg_catalog'::regnamespace AND relkind IN ('r', 'p') AND relisshared = %s"""


def on_the_page(title: str) -> set[str]:
    """The names in the first column of the table under a title."""
    section = PAGE.read_text(encoding="utf-8").split(f"### {title}\n")[1].split("\n#")[0]
    names = [re.findall(r"`(\w+)`", line.split("|")[1]) for line in section.splitlines() if line.startswith("| `")]
    found = [name for some in names for name in some]
    assert len(found) == len(set(found))
    return set(found)


@pytest.mark.parametrize(("title", "shared"), [("Shared catalogues", True), ("Catalogues of each database", False)])
def test_the_page_knows_every_catalogue_of_the_server(private: PrivatePostgres, title: str, shared: bool) -> None:
    known = on_the_page(title)
    there = {name for (name,) in private.sql(_CATALOGUES, parameters=(shared,))}
    assert there - known == set(), "say in docs/coverage.md whether it is taken, and look after it if people miss it"


def test_the_page_names_no_catalogue_that_there_is_not(
    postgres15: PrivatePostgres, postgres18: PrivatePostgres
) -> None:
    there = {
        name
        for server in (postgres15, postgres18)
        for shared in (True, False)
        for (name,) in server.sql(_CATALOGUES, parameters=(shared,))
    }
    assert (on_the_page("Shared catalogues") | on_the_page("Catalogues of each database")) - there == set()

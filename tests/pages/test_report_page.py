# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of a report in a browser: what it shows and does, that it asks nobody, and that everybody can use it."""

from __future__ import annotations

import json
import shlex
import time
from pathlib import Path
from typing import Any

import pytest
from backupdb.cli.main import make_parser
from backupdb.report.as_html import html_of
from backupdb.report.fleet import fleet_of
from support.browser import ENTER, ESCAPE, TAB, Browser
from support.reported import HOSTILE, NOW, large

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ROOT / ".cache" / "pages"
AXE = ROOT / ".cache" / "axe" / "axe.min.js"
DOCUMENTED = ROOT / "docs" / "images" / "report.png"
WIDTHS = (360, 1920)
SCHEMES = ("light", "dark")
_SHIFT = """
const done = arguments[0];
let sum = 0;
const observer = new PerformanceObserver(list => list.getEntries().forEach(one => { sum += one.value; }));
observer.observe({type: "layout-shift", buffered: true});
setTimeout(() => done(sum), 300);
"""
_AXE = """
const done = arguments[0];
const rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const told = node => node.html + " " + node.failureSummary;
axe.run(document, {resultTypes: ["violations"], runOnly: rules}).then(
  found => done(found.violations.map(one => [one.id, one.help, ...one.nodes.slice(0, 5).map(told)])),
  error => done([["axe", String(error)]]));
"""


def problems(window: Browser) -> list[str]:
    """What the console says, and which addresses were asked for beside the page itself."""
    said = [entry["message"] for entry in window.logs("browser") if entry["level"] in ("WARNING", "SEVERE")]
    asked = [url for url in window.requests() if not url.startswith(("file:", "data:", "about:", "chrome:"))]
    return said + asked


def violations(window: Browser) -> list[Any]:
    """What axe-core finds that some people could not use."""
    window.run(AXE.read_text(encoding="utf-8"))
    found: list[Any] = window.run_async(_AXE)
    return found


def overflow(window: Browser) -> int:
    """How many pixels of the page do not fit into the window."""
    return int(window.run("return document.documentElement.scrollWidth - document.documentElement.clientWidth"))


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_the_page_is_quiet_steady_and_for_everybody(window: Browser, page: Path, width: int, scheme: str) -> None:
    window.open(page, width=width, scheme=scheme)
    assert window.run_async(_SHIFT) < 0.01
    assert overflow(window) <= 0
    window.photograph(PICTURES / f"report-{width}-{scheme}.png", whole=True)
    assert violations(window) == []
    assert problems(window) == []


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", (360, 1280))
def test_the_page_of_a_database_is_for_everybody_too(window: Browser, page: Path, width: int, scheme: str) -> None:
    window.open(page, width=width, height=1400, scheme=scheme, part="#d1")
    assert window.texts("#detail-title") == ["orders"]
    assert overflow(window) <= 0
    window.photograph(PICTURES / f"database-{width}-{scheme}.png")
    assert violations(window) == []
    assert problems(window) == []


def test_which_database_could_not_be_restored_is_the_first_thing_that_is_seen(window: Browser, page: Path) -> None:
    window.open(page, width=1280, height=800)
    assert window.texts("h1") == ["2 databases could not be restored today"]
    assert window.texts(".lost .place") == ["db1.example.org/shop-pg/orders", "db3.example.org/books/payroll"]
    bottom = window.run("return document.querySelector('.lost').getBoundingClientRect().bottom")
    assert bottom < 400, "it must be seen without scrolling"
    picture = window.photograph(PICTURES / "documented.png")
    assert len(picture) < 200_000
    committed = DOCUMENTED.read_bytes()
    assert len(committed) < 200_000
    size = slice(16, 24)  # width and height in the header of a PNG
    assert committed[size] == picture[size], f"copy {PICTURES}/documented.png to {DOCUMENTED}"


def test_every_database_is_there_also_without_scripts(window: Browser, page: Path) -> None:
    window.open(page, width=1280)
    named = window.run("return [...document.querySelectorAll('.matrix li bdi')].map(one => one.textContent)")
    assert {"shop", "payroll", "old_shop", "sessions", "staging", "scratch_7", "@accounts"} <= set(named)
    assert "excluded by 'scratch_*'" in " ".join(window.texts("#coverage td"))
    assert any("connection timed out" in text for text in window.texts(".matrix .unknown"))


def test_the_table_is_filtered_and_sorted(window: Browser, page: Path) -> None:
    window.open(page, width=1280)
    everything = len(window.texts("#table tbody tr"))
    window.write("#find", "db3 ledg")
    assert window.texts("#table tbody th") == ["ledger\ndb3.example.org / books"]
    assert window.texts("#shown") == [f"1 of {everything}"]
    window.open(page, width=1280)
    window.click(".legend [data-class='0']")
    assert window.texts("#table tbody th") == ["payroll\ndb3.example.org / books"]
    window.click(".legend [data-class='0']")
    window.click("[data-sort=b]")
    window.click("[data-sort=b]")
    assert window.texts("#table tbody th")[0].startswith("archive")
    assert window.run("return document.querySelector('[data-sort=b]').closest('th').ariaSort") == "descending"
    assert problems(window) == []


def test_a_keyboard_is_enough(window: Browser, page: Path) -> None:
    window.open(page, width=1280)
    window.press(TAB)
    assert window.run("return document.activeElement.textContent") == "Skip to the databases"
    window.press(TAB)
    assert window.run("return document.activeElement.textContent") == "shop-pg/orders"
    window.press(ENTER)
    assert window.texts("#detail-title") == ["orders"]
    assert window.run("return document.querySelector('#detail').contains(document.activeElement)")
    window.press(ESCAPE)
    assert window.run("return [document.querySelector('#detail').open, location.hash]") == [False, ""]


def test_the_commands_restore_the_backup_that_they_stand_with(window: Browser, page: Path) -> None:
    window.open(page, width=1280, part="#d1")
    on_controller, on_host, *_proven = (shlex.split(text) for text in window.texts("#detail .command code"))
    options = make_parser("restore").parse_args(on_host[1:])
    assert (on_host[0], options.words, options.path.split("/")[-1]) == (
        "backupdb",
        ["nightly", "shop-pg"],
        "20261124T020000Z-3f0c9a52",
    )
    assert on_controller[:3] == ["ansible-playbook", "vya.backupdb.restore", "-e"]
    variables = json.loads(on_controller[3])
    assert variables["restore_hosts"] == "db1.example.org"
    assert (variables["restore_instance"], variables["restore_from"]) == ("shop-pg", options.path)
    assert variables["restore_target"] == "orders_back"


def test_a_large_fleet_is_small_fast_and_its_hostile_names_are_only_names(window: Browser, large_page: Path) -> None:
    assert large_page.stat().st_size < 2_000_000
    window.open(large_page, width=360)
    assert overflow(window) <= 0
    assert window.run("return [document.scripts.length, document.images.length]") == [2, 0]
    shown = set(window.run("return [...document.querySelectorAll('.matrix bdi')].map(one => one.textContent)"))
    assert {"<script>alert(1)</script>", '../x"; --', "\\u202egpj.exe", "line\\nbreak"} <= shown
    assert len(window.texts("#table tbody tr")) == 200
    window.run("document.getElementById('more').click()")
    assert len(window.run("return document.querySelectorAll('#table tbody tr')")) == 3000
    for number in range(0, 600, 100):  # of the databases with hostile names
        window.run("location.hash = arguments[0]", f"#d{number}")
        window.run_async("setTimeout(arguments[0], 50)")
        (command, *_others) = window.texts("#detail .command code")
        variables = json.loads(shlex.split(command)[3])
        assert variables["restore_from"].startswith("/var/backups/backupdb/")
    assert problems(window) == []
    window.photograph(PICTURES / "large-360.png")


def test_a_large_fleet_is_judged_and_written_in_time() -> None:
    looks = large(300, 10)
    began = time.process_time()
    html_of(fleet_of(looks, now=NOW, title="Backups"))
    assert time.process_time() - began < 3.0


def test_it_prints_and_a_page_of_nothing_says_so(window: Browser, page: Path, empty_page: Path) -> None:
    window.open(page, width=1280)
    printed = window.devtools("Page.printToPDF", printBackground=False)["data"]
    assert len(printed) > 20_000
    window.open(empty_page, width=360)
    assert window.texts("h1") == ["There is nothing to report on"]
    assert (overflow(window), violations(window), problems(window)) == (0, [], [])


def test_the_hostile_names_of_the_tests_are_what_they_are_for() -> None:
    assert any("</script>" in name for name in HOSTILE)
    assert any("\u202e" in name for name in HOSTILE)

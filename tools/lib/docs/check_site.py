# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check a built documentation site: check_site.py SITE

Sphinx complains about what it does not understand. This finds what is not there: a page of the checkout that the site
lacks, a link to a file or an anchor that does not exist, and anything that a browser would fetch from the network.
Runs under the system's Python and needs nothing else.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).resolve().parents[3]
GUIDES = ROOT / "docs" / "docsite" / "rst" / "guides.rst"
# For people who work on the collection, not for those who use it.
NOT_A_GUIDE = {"architecture.md"}


class Page(HTMLParser):
    """What one page links to, what it loads, and which anchors it has."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.anchors: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.anchors.update(values[name] for name in ("id", "name") if name in values)
        if "href" in values:
            (self.loads if tag == "link" else self.links).append(values["href"])
        if "src" in values:
            self.loads.append(values["src"])


def wanted_pages() -> Iterator[str]:
    """The page of every guide, role, module and filter, relative to the site."""
    yield from ("index.html", "CHANGELOG.html", "CONTRIBUTING.html")
    for guide in sorted(ROOT.glob("docs/*.md")):
        yield f"docs/{guide.stem}.html"
    for role in sorted(ROOT.glob("roles/*/meta/argument_specs.yml")):
        name = role.parents[1].name
        yield from (f"roles/{name}/README.html", f"collection/{name}_role.html")
    for kind, folder in (("module", "modules"), ("filter", "filter")):
        for plugin in sorted(ROOT.glob(f"plugins/{folder}/*.py")):
            if plugin.stem != "__init__":
                yield f"collection/{plugin.stem}_{kind}.html"


def missing_pages(site: Path) -> Iterator[str]:
    for name in wanted_pages():
        if not (site / name).is_file():
            yield f"there is no page {name}"
    listed = GUIDES.read_text(encoding="utf-8")
    for guide in sorted(ROOT.glob("docs/*.md")):
        if guide.name not in NOT_A_GUIDE and f"/docs/{guide.name}>" not in listed:
            yield f"{GUIDES.relative_to(ROOT)} does not name docs/{guide.name}"


def broken_links(site: Path, pages: dict[Path, Page]) -> Iterator[str]:
    for path, page in pages.items():
        here = path.relative_to(site)
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not target.is_file():
                yield f"{here}: {link} leads nowhere"
            elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].anchors:
                yield f"{here}: {link} leads to an anchor that does not exist"


def fetched(site: Path, pages: dict[Path, Page]) -> Iterator[str]:
    for path, page in pages.items():
        for address in page.loads:
            if urlsplit(address).netloc:
                yield f"{path.relative_to(site)}: loads {address} from the network"


def main() -> int:
    site = Path(sys.argv[1]).resolve()
    pages = {path: Page(path) for path in sorted(site.rglob("*.html"))}
    problems = [*missing_pages(site), *broken_links(site, pages), *fetched(site, pages)]
    for problem in problems:
        print(problem)
    print(f"{len(pages)} pages, {sum(len(page.links) for page in pages.values())} links, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())

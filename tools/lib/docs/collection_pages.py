# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An extension of Sphinx that makes one site of pages that were written for a forge and pages of antsibull-docs.

Links between the Markdown pages stay links between pages. Links to other files of the checkout lead to the repository,
and links to the repository lead to the page of this site where it has one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from docutils import nodes
from pygments.lexers.special import TextLexer
from sphinx import addnodes
from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parents[3]
START_PAGE = "index"
# The pages of antsibull-docs are in this folder of the site.
REFERENCE = "collection/"
# Labels of Ansible's own documentation that the reference pages mention. An inventory of intersphinx would have to be
# downloaded.
ANSIBLE_PAGES = {
    "action_plugins": "plugins/action.html",
    "ansible_configuration_settings": "reference_appendices/config.html",
    "common_return_values": "reference_appendices/common_return_values.html",
}


def repository_url(kind: str) -> str:
    """Where the forge shows a file (`kind` is "blob") or a folder ("tree")."""
    links = yaml.safe_load((ROOT / "docs/docsite/links.yml").read_text(encoding="utf-8"))["edit_on_github"]
    return f"https://github.com/{links['repository']}/{kind}/{links['branch']}/"


def lead_to_the_repository(app: Sphinx, doctree: nodes.document) -> None:
    """Make links to what exists in the checkout, and is no page, links to the repository."""
    folder = (ROOT / app.env.docname).parent
    for link in list(doctree.findall(addnodes.pending_xref)):
        if link["reftype"] != "myst":
            continue
        if link.get("refdomain") == "doc":
            if link["reftarget"] == "README":
                link["reftarget"] = START_PAGE
            continue
        path = (folder / link["reftarget"]).resolve()
        # What does not exist is left for Sphinx to complain about.
        if path.exists() and path.is_relative_to(ROOT):
            address = repository_url("tree" if path.is_dir() else "blob") + path.relative_to(ROOT).as_posix()
            link.replace_self(nodes.reference("", "", *link.children, refuri=address))


def lead_to_pages(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Make links to files in the repository links to the page of this site that was made of the file."""
    prefix = repository_url("blob")
    for link in doctree.findall(nodes.reference):
        address = link.get("refuri", "")
        if not address.startswith(prefix):
            continue
        path, hash_sign, anchor = address[len(prefix) :].partition("#")
        page = START_PAGE if path == "README.md" else path.removesuffix(".md")
        if page != path and page in app.env.found_docs:
            link["refuri"] = app.builder.get_relative_uri(docname, page) + hash_sign + anchor
            link["internal"] = True


def drop_contents(_app: Sphinx, docname: str, source: list[str]) -> None:
    """Remove the table of contents that antsibull-docs puts on each page; the theme has its own beside the text."""
    if docname.startswith(REFERENCE):
        source[0] = source[0].replace(".. contents::\n   :local:\n   :depth: 1\n", "")


def shorten_titles(app: Sphinx, _doctree: nodes.document) -> None:
    """Name pages in the sidebar without the collection's name and without the description: "backup_pin module"."""
    docname = app.env.docname
    if not docname.startswith((REFERENCE, "roles/")):
        return
    title = app.env.titles[docname].astext()
    short = title.removeprefix(f"{app.config.project}.").split(" \N{EN DASH} ")[0]
    if short == title:
        return
    app.env.titles[docname] = nodes.title("", short)
    entry = next(iter(app.env.tocs[docname].findall(nodes.reference)))
    entry.children = []
    entry += nodes.Text(short)


def find_in_ansible(
    _app: Sphinx, _env: Any, link: addnodes.pending_xref, content: nodes.TextElement
) -> nodes.reference | None:
    """Resolve a label of Ansible's own documentation."""
    page = ANSIBLE_PAGES.get(link["reftarget"])
    if page is None:
        return None
    return nodes.reference("", "", content, refuri=f"https://docs.ansible.com/projects/ansible/latest/{page}")


def setup(app: Sphinx) -> dict[str, bool]:
    # Drawings stay text: showing them as pictures would need a program that is fetched.
    app.add_lexer("mermaid", TextLexer)
    app.connect("source-read", drop_contents)
    app.connect("doctree-read", lead_to_the_repository)
    # After Sphinx has collected the titles.
    app.connect("doctree-read", shorten_titles, priority=900)
    app.connect("missing-reference", find_in_ansible)
    app.connect("doctree-resolved", lead_to_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

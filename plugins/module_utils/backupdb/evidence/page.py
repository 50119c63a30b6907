# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The statement as a page for people: one file, without scripts or requests; one statement gives the same bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from ..system.text import human_duration, one_line
from .statement import NO_BACKUP, NO_DRILL, NOT_PROVEN, PROVEN, RESULTS, subject_name

_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 75rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; } .scroll { overflow-x: auto; }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #8888; vertical-align: top; }
code { font-size: .85em; overflow-wrap: anywhere; } .bad { font-weight: bold; }
@media print { body { margin: 0; max-width: none; font-size: 11px; } }
"""
_TITLES = ("Host", "Instance", "Database", "Backups", "Drills", "Newest drill", "Verdict", "Restored in", "SHA-256")
_MEANING = {
    NOT_PROVEN: "the newest drill in the period did not find the restored backup equal",
    NO_DRILL: "it has backups, and no drill of them ended in the period",
    NO_BACKUP: "the newest run wanted it, and there is no backup",
    PROVEN: "the newest drill in the period restored a backup and found it equal",
}


def page_of(statement: Mapping[str, Any], sha256: str) -> bytes:
    """Return the page; `sha256` is the digest of the statement's bytes, which the page is an image of."""
    return "".join(f"{line}\n" for line in _lines(statement, sha256)).encode("utf-8")


def _lines(statement: Mapping[str, Any], sha256: str) -> Iterator[str]:
    predicate = statement["predicate"]
    period = predicate["period"]
    title = f"Drills of database backups, {period['since'][:10]} to {period['until'][:10]}"
    yield "<!DOCTYPE html>"
    yield '<html lang="en"><head><meta charset="utf-8">'
    yield "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>{_shown(title)}</title><style>{_STYLE}</style></head><body><main>"
    yield f"<h1>{_shown(title)}</h1>"
    yield f"<p>From {_shown(period['since'])} to {_shown(period['until'])}, made {_shown(predicate['made'])} by "
    yield f"{_shown(predicate['tool']['name'])} {_shown(predicate['tool']['version'])}.</p>"
    yield "<p>This page shows a signed statement, and only that is evidence. SHA-256 of the statement: "
    yield f"<code>{_shown(sha256)}</code></p>"
    yield from _counts(predicate["counts"])
    yield from _gaps(predicate)
    for result in RESULTS:
        yield from _databases(result, [one for one in predicate["databases"] if one["result"] == result], statement)
    yield "</main></body></html>"


def _counts(counts: Mapping[str, Any]) -> Iterator[str]:
    rows = [(result, counts[result], _MEANING[result]) for result in RESULTS]
    yield "<h2>Databases</h2>"
    yield from _table(("Result", "Databases", "Meaning"), rows)


def _gaps(predicate: Mapping[str, Any]) -> Iterator[str]:
    missing = [(one["name"], one["message"]) for one in predicate["sources"] if one["status"] != "gathered"]
    problems = [(one["name"], line) for one in predicate["sources"] for line in one.get("problems", ())]
    for heading, rows in (
        ("Hosts that nothing was gathered from", missing),
        ("What could not be read", problems),
        (
            "Manifests that differ between places",
            [(name, "one was written over") for name in predicate["conflicts"]],
        ),
    ):
        if rows:
            yield f'<h2 class="bad">{_shown(heading)}</h2>'
            yield from _table(("Where", "What"), rows)


def _databases(result: str, databases: Sequence[Mapping[str, Any]], statement: Mapping[str, Any]) -> Iterator[str]:
    if not databases:
        return
    digests = {one["name"]: one["digest"]["sha256"] for one in statement["subject"]}
    bad = "" if result == PROVEN else ' class="bad"'
    yield f"<h2{bad}>{_shown(result.capitalize())}</h2>"
    yield from _table(
        _TITLES,
        [_row(one, digests) for one in databases],
    )


def _row(one: Mapping[str, Any], digests: Mapping[str, str]) -> Sequence[Any]:
    drill = one["drills"][0] if one["drills"] else None
    backup = one["newest"] if drill is None else drill["backup_id"]
    took = None if drill is None else drill["restore_seconds"]
    return (
        one["host"],
        one["instance"],
        one["database"],
        one["backups"],
        len(one["drills"]),
        "-" if drill is None else drill["finished"],
        "-" if drill is None else " ".join(filter(None, (drill["verdict"], drill["error"]))),
        "-" if took is None else human_duration(took),
        f"{backup} {digests.get(subject_name(one['folder'], backup), '')}",
    )


def _table(titles: Sequence[str], rows: Sequence[Sequence[Any]]) -> Iterator[str]:
    yield '<div class="scroll"><table><thead><tr>'
    yield "".join(f'<th scope="col">{_shown(title)}</th>' for title in titles) + "</tr></thead><tbody>"
    for row in rows:
        yield "<tr>" + "".join(f"<td><bdi>{_shown(cell)}</bdi></td>" for cell in row) + "</tr>"
    yield "</tbody></table></div>"


def _shown(value: Any) -> str:
    return escape(one_line(str(value)))

# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The form of a facts document, checked before it is judged: a host that somebody took over may send anything.

What does not have this form is refused as a whole, and keys that nobody knows are dropped.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable

from ..monitoring.complaints import KINDS
from ..monitoring.copies import BEHIND, FRESH, LATE, NONE
from ..monitoring.freshness import VERDICTS
from ..repository.drill_records import VERDICTS as DRILL_VERDICTS
from ..system.json_text import LARGEST_COUNT
from ..system.text import iso, parse_iso, printable
from .facts import SCHEMA

Check = Callable[[Any], Any]
_LONGEST_TEXT = 20_000  # characters
_MOST_ENTRIES = 100_000
_LARGEST_NUMBER = 1e12


class Malformed(ValueError):
    """It is no facts document of this version; the text says where."""


def checked(document: Any) -> dict[str, Any]:
    """Return a facts document in its form; raises `Malformed`."""
    if not isinstance(document, Mapping) or document.get("schema") != SCHEMA:
        raise Malformed(f"what it told is not of schema {SCHEMA}; use one version of the collection for all hosts")
    found: dict[str, Any] = _DOCUMENT(document)
    return found


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST_TEXT:
        raise Malformed("is no text")
    return str(printable(value))


def _time(value: Any) -> str:
    try:
        return iso(parse_iso(value))
    except ValueError:
        raise Malformed("is no time") from None


def _day(value: Any) -> str:
    return _time(f"{value}T00:00:00Z")[:10]


def _count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= LARGEST_COUNT:
        raise Malformed("is no count")
    return value


def _number(value: Any) -> float:
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not abs(value) < _LARGEST_NUMBER:
        raise Malformed("is no number")
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Malformed("is not true or false")
    return value


def _one_of(*choices: str) -> Check:
    def check(value: Any) -> str:
        if value not in choices:
            raise Malformed("is not known")
        return str(value)

    return check


def _maybe(check: Check) -> Check:
    return lambda value: None if value is None else check(value)


def _each(check: Check) -> Check:
    def check_all(value: Any) -> list[Any]:
        if not isinstance(value, list) or len(value) > _MOST_ENTRIES:
            raise Malformed("is no list")
        return [check(entry) for entry in value]

    return check_all


def _shape(**checks: Check) -> Check:
    def check(value: Any) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise Malformed("is no object")
        found = {}
        for name, one in checks.items():
            try:
                found[name] = one(value.get(name))
            except Malformed as error:
                raise Malformed(f"{name}: {error}") from None
        return found

    return check


_POINT = _shape(
    id=_text,
    time=_time,
    complete=_flag,
    filters=_text,
    plain_bytes=_count,
    stored_bytes=_count,
    seconds=_maybe(_number),
    rows=_maybe(_count),
    objects=_maybe(_count),
    compression=_text,
    proven=_maybe(_flag),
)
_DRILL = _shape(
    finished=_time,
    backup=_text,
    verdict=_one_of(*DRILL_VERDICTS),
    restore_seconds=_maybe(_number),
    total_seconds=_maybe(_number),
    plain_bytes=_count,
    differences=_count,
    error=_maybe(_text),
)
_COPY = _shape(
    name=_text,
    state=_one_of(*FRESH, BEHIND, LATE, NONE),
    required=_flag,
    off_site=_flag,
    newest=_maybe(_time),
    age_seconds=_maybe(_number),
    proven=_maybe(_time),
    backups=_count,
    tampered=_count,
)
_RETENTION = _shape(policy=_text, refused=_maybe(_text), keeps=_count, oldest=_maybe(_time), freed_bytes=_each(_count))
_DATABASE = _shape(
    host=_text,
    instance=_text,
    database=_maybe(_text),
    kind=_one_of("database", "accounts"),
    state=_one_of(*VERDICTS),
    newest=_maybe(_time),
    newest_complete=_maybe(_time),
    without=_text,
    path=_maybe(_text),
    age_seconds=_maybe(_number),
    max_age_seconds=_number,
    duration=_maybe(_number),
    plain_bytes=_maybe(_count),
    stored_bytes=_maybe(_count),
    backups=_count,
    disk_bytes=_count,
    proven=_maybe(_time),
    drill=_maybe(_shape(finished=_time, verdict=_one_of(*DRILL_VERDICTS))),
    error=_maybe(_text),
    next_run=_maybe(_time),
    copies=_each(_COPY),
    restore_seconds=_maybe(_number),
    restore_source=_maybe(_one_of("drill", "rate")),
    proven_path=_maybe(_text),
    read=_count,
    history=_each(_POINT),
    drills=_each(_DRILL),
    emptied=_each(_text),
    retention=_maybe(_RETENTION),
)
_INSTANCE = _shape(
    repository=_text,
    host=_text,
    instance=_text,
    engine=_maybe(_text),
    server_version=_maybe(_text),
    status=_maybe(_text),
    error=_maybe(_text),
    last_run=_maybe(_time),
    next_run=_maybe(_time),
    waits_until=_maybe(_time),
    jobs=_each(_text),
    excluded=_each(_shape(name=_text, rule=_text)),
    new=_each(_text),
)
_DOCUMENT = _shape(
    schema=_count,
    version=_text,
    made=_time,
    copy=_maybe(_text),
    status=_one_of("ok", "partial", "failed"),
    message=_text,
    complaints=_each(
        _shape(
            level=_one_of("failed", "partial"),
            kind=_one_of(*KINDS),
            text=_text,
            host=_maybe(_text),
            instance=_maybe(_text),
            database=_maybe(_text),
            accounts=_flag,
        )
    ),
    databases=_each(_DATABASE),
    instances=_each(_INSTANCE),
    jobs=_each(_shape(name=_text, status=_maybe(_text), finished=_maybe(_time), next_run=_maybe(_time))),
    repositories=_each(_shape(path=_text, disk_bytes=_count, free_bytes=_maybe(_count), size_bytes=_maybe(_count))),
    days=_each(
        _shape(
            day=_day,
            runs=_count,
            backups=_count,
            partial=_count,
            failed=_count,
            stored_bytes=_count,
            drills=_count,
            drills_failed=_count,
        )
    ),
    keys=_each(_shape(use=_one_of("opens", "signs"), key=_text, since=_time, last=_time, backups=_count, alone=_count)),
    problems=_each(_text),
)

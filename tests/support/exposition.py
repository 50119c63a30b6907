# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prometheus' text format, read strictly, and the rules of `promtool check metrics` that concern gauges.

Format: https://prometheus.io/docs/instrumenting/exposition_formats/.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
_SAMPLE = re.compile(rf"({_NAME})(?:\{{(.*)\}})? (\S+)")
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\n"])*)"(?:,|$)')
_ESCAPE = re.compile(r"\\(.)")
_NOT_A_BASE_UNIT = re.compile(
    r"_(milliseconds?|microseconds?|nanoseconds?|minutes?|hours?|days?|weeks?|bits|(kilo|mega|giga|kibi|mebi)bytes?|"
    r"percent)(_|$)"
)
_FOR_OTHER_TYPES = ("_total", "_count", "_sum", "_bucket")
_OF_PROMETHEUS = ("instance", "job", "le", "quantile")


@dataclass
class Family:
    """One metric: what it says of itself, and its samples by labels."""

    help: str
    type: str = ""
    samples: dict[tuple[tuple[str, str], ...], float] = field(default_factory=dict)

    def labels(self) -> set[str]:
        return {name for labels in self.samples for name, _value in labels}


def read_metrics(text: str) -> dict[str, Family]:
    """The metrics of a text; AssertionError for whatever Prometheus would refuse."""
    if not text.endswith("\n"):
        raise AssertionError("the last line does not end")
    families: dict[str, Family] = {}
    for line in text[:-1].split("\n"):
        if line.startswith("# HELP "):
            name, _space, words = line[len("# HELP ") :].partition(" ")
            _require(name not in families, f"{name} stands there twice")
            families[name] = Family(words)
        elif line.startswith("# TYPE "):
            name, _space, kind = line[len("# TYPE ") :].partition(" ")
            _require(name == list(families)[-1] and not families[name].samples, f"{line} in a wrong place")
            families[name].type = kind
        else:
            _read_sample(line, families)
    return families


def lint(families: dict[str, Family]) -> list[str]:
    """What promtool would complain about."""
    found = []
    for name, family in families.items():
        if not family.help or family.type != "gauge":
            found.append(f"{name}: a gauge with help is wanted")
        if _NOT_A_BASE_UNIT.search(name) or re.search(r"[A-Z:]", name):
            found.append(f"{name}: base units and small letters are wanted")
        if name.endswith(_FOR_OTHER_TYPES) or "gauge" in name:
            found.append(f"{name}: the ending belongs to another type")
        found += [f"{name}: label {label} is Prometheus' own" for label in family.labels() & set(_OF_PROMETHEUS)]
    return found


def _read_sample(line: str, families: dict[str, Family]) -> None:
    match = _SAMPLE.fullmatch(line)
    _require(match is not None, f"{line!r} is no sample")
    assert match is not None
    name, labels = match.group(1), match.group(2) or ""
    _require(bool(families) and name == list(families)[-1], f"{line!r} is not below its metric")
    values: list[tuple[str, str]] = []
    position = 0
    while position < len(labels):
        found = _LABEL.match(labels, position)
        _require(found is not None, f"{line!r} has a label that cannot be read")
        assert found is not None
        plain = _ESCAPE.sub(lambda one: {"n": "\n"}.get(one.group(1), one.group(1)), found.group(2))
        values.append((found.group(1), plain))
        position = found.end()
    key = tuple(values)
    _require(len(dict(key)) == len(key), f"{line!r} has a label twice")
    _require(key not in families[name].samples, f"{line!r} is there twice")
    families[name].samples[key] = float(match.group(3))


def _require(condition: bool, words: str) -> None:
    if not condition:
        raise AssertionError(words)

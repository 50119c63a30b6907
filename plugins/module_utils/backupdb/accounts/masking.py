# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hiding the hashes of passwords in statements and in what servers say of them."""

from __future__ import annotations

import json
import re

MASK = "'********'"

# A quoted name is passed over as a whole: it may hold any text, even one that looks like a password's clause.
_HASH = re.compile(
    r"""(?P<name>"(?:[^"]|"")*"|`(?:[^`]|``)*`)"""
    r"""|\b(?P<word>PASSWORD|AS|USING|BY)(?P<space>\s+)(?P<hash>E?'(?:[^'\\]|''|\\.)*'|0x[0-9A-Fa-f]+)""",
    re.DOTALL,
)
_SHOWN = 200  # characters of a statement that was refused
# What follows repeats the statement, or a piece of it from some place on.
_QUOTATION = re.compile(r"(?: near '| LINE \d+: ).*", re.DOTALL)


def masked(sql: str) -> str:
    """Return the statement with the hashes of passwords hidden."""
    return _HASH.sub(lambda found: found["name"] or f"{found['word']}{found['space']}{MASK}", sql)


def refused_text(sql: str, why: str) -> str:
    """Show a statement that was refused, and why: without any text in it, in one line, and not all of a long one."""
    hidden = re.sub(r"'(?:[^'\\]|''|\\.)*(?:'|\Z)", MASK, masked(sql), flags=re.DOTALL)
    shown = hidden if len(hidden) <= _SHOWN else f"{hidden[:_SHOWN]} …"
    return f"{shown if shown.isprintable() else json.dumps(shown)[1:-1]} ({why})"


def without_hashes(message: str, sql: str) -> str:
    """Return what a server said about a statement, without pieces of it where it holds a hash."""
    hashes = [found["hash"] for found in _HASH.finditer(sql) if found["hash"]]
    if not hashes:
        return message
    message = _QUOTATION.sub("", message)
    for text in hashes:
        message = message.replace(text, MASK).replace(text.strip("'"), "********")
    return message

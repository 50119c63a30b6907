# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names and values as PostgreSQL's SQL, connection strings and password files write them."""

from __future__ import annotations

import os
import re

from ...errors import InvalidOption

# PostgreSQL's encodings under Python's names, where they differ from what Python understands by itself.
_PYTHON_ENCODINGS = {
    "SQL_ASCII": "latin-1",  # bytes without meaning: latin-1 carries each of them unchanged
    "EUC_CN": "gb2312",
    "EUC_JIS_2004": "euc_jis_2004",
    "EUC_TW": "big5",
    "WIN866": "cp866",
    "WIN874": "cp874",
    "LATIN1": "iso8859-1",
    "LATIN2": "iso8859-2",
    "LATIN3": "iso8859-3",
    "LATIN4": "iso8859-4",
    "LATIN5": "iso8859-9",
    "LATIN6": "iso8859-10",
    "LATIN7": "iso8859-13",
    "LATIN8": "iso8859-14",
    "LATIN9": "iso8859-15",
    "LATIN10": "iso8859-16",
    "ISO_8859_5": "iso8859-5",
    "ISO_8859_6": "iso8859-6",
    "ISO_8859_7": "iso8859-7",
    "ISO_8859_8": "iso8859-8",
    "KOI8R": "koi8-r",
    "KOI8U": "koi8-u",
}
# Settings that are lists of names (GUC_LIST_QUOTE): their stored value has each name quoted where it must be.
_LISTS = (
    "local_preload_libraries",
    "search_path",
    "session_preload_libraries",
    "shared_preload_libraries",
    "temp_tablespaces",
    "unix_socket_directories",
)
_PART = re.compile(r'("(?:[^"]|"")+")|([^."]+)')
_LIST_ITEM = re.compile(r'"((?:[^"]|"")*)"|([^",\s][^",]*)')


def identifier(name: str) -> str:
    """Quote a name for SQL. pg_dump's patterns read a quoted name the same way: nothing in it is a wildcard."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Quote a value for SQL, whatever `standard_conforming_strings` is."""
    quoted = "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"
    return " E" + quoted if "\\" in text else quoted


def setting_values(name: str, stored: str) -> list[str]:
    """Return the values of a setting as the catalogues store it: the names of a list one by one, else the one value."""
    if name.lower() not in _LISTS:
        return [stored]
    return [quoted.replace('""', '"') or plain.strip() for quoted, plain in _LIST_ITEM.findall(stored)] or [""]


def spellings(name: str) -> set[str]:
    """Return all ways to write the name of a table: with its schema or without, each part quoted for SQL or as it is.

    >>> sorted(spellings('public."Odd"'))
    ['"Odd"', '"public"."Odd"', '"public".Odd', 'Odd', 'public."Odd"', 'public.Odd']
    """
    parts = [quoted[1:-1].replace('""', '"') or plain for quoted, plain in _PART.findall(name)]
    ways = [{part, identifier(part)} for part in parts]
    found = ways[-1] if ways else {name}
    for way in reversed(ways[:-1]):
        found = found | {f"{one}.{other}" for one in way for other in found}
    return found


def connection_string(database: str) -> str:
    """Name a database for `--dbname`, which reads `a=b` or `postgresql://…` as a connection string."""
    return "dbname='" + database.replace("\\", "\\\\").replace("'", "\\'") + "'"


def password_file(password: str) -> bytes:
    """Write a libpq password file with one line for every host, port, database and user."""
    if any(character in password for character in "\n\r\0"):
        raise InvalidOption("login_password has a line break; PostgreSQL's clients cannot be given such a password")
    escaped = password.replace("\\", "\\\\").replace(":", "\\:")
    return f"*:*:*:*:{escaped}\n".encode()


def python_encoding(encoding: str) -> str:
    """Return Python's name of a server encoding."""
    if encoding.startswith("WIN") and encoding not in _PYTHON_ENCODINGS:
        return "cp" + encoding[3:]
    return _PYTHON_ENCODINGS.get(encoding, encoding)


def argument(text: str, encoding: str) -> str:
    """Return `text` such that a started program gets its bytes in the database's encoding, as pg_dump expects."""
    return os.fsdecode(text.encode(python_encoding(encoding)))

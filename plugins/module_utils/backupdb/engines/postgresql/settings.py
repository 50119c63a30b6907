# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings that a login, a database or the server may have and that would change what our sessions and clients do.

All of them are set to what a new server has, from the beginning of the session on, in backups, restores and drills.
`search_path` is empty in sessions of our own: with a schema of the database's owner before `pg_catalog` an operator of
his would be called, with our rights. The clients empty it by themselves.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..values import ServerFacts

# Known to every version from 13 on, and anybody may set them.
NEUTRAL: Mapping[str, str] = {
    "default_transaction_read_only": "off",
    "default_transaction_isolation": "read committed",
    "default_transaction_deferrable": "off",
    "statement_timeout": "0",
    "lock_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "exit_on_error": "off",
    "row_security": "on",  # pg_dump turns it off, and so does what reads rows
    "client_min_messages": "notice",
    "check_function_bodies": "on",
    "default_tablespace": "",
    "default_table_access_method": "heap",
    # How definitions and values are written and read.
    "quote_all_identifiers": "off",
    "standard_conforming_strings": "on",
    "backslash_quote": "safe_encoding",
    "escape_string_warning": "on",
    "transform_null_equals": "off",
    "array_nulls": "on",
    "extra_float_digits": "1",
    "DateStyle": "ISO, MDY",
    "IntervalStyle": "postgres",
    "bytea_output": "hex",
    "xmloption": "content",
    "xmlbinary": "base64",
}
# Texts of timestamps must not depend on the login. Not in our own sessions, which ask for the server's time zone.
_OF_CLIENTS = {"TimeZone": "UTC"}
_SINCE_14 = {"idle_session_timeout": "0"}
_SINCE_17 = {"transaction_timeout": "0"}
_OF_SUPERUSERS = {"session_replication_role": "origin"}
CLIENT_SETTINGS_KEY = "client_settings"  # of a manifest's engine details; backups from before there were any lack it


def client_settings(facts: ServerFacts, *, superuser: bool = False) -> dict[str, str]:
    """Return what a libpq program is given as options."""
    return {
        **NEUTRAL,
        **_OF_CLIENTS,
        **(_SINCE_14 if facts.version_number >= (14,) else {}),
        **(_SINCE_17 if facts.version_number >= (17,) else {}),
        **(_OF_SUPERUSERS if superuser else {}),
    }


def session_statements() -> tuple[str, ...]:
    """Return the statements for a session of our own: they set what the server knows and the login may set."""
    of_all = ", ".join(f"('{name}', '{value}', false)" for name, value in {**NEUTRAL, **_SINCE_14, **_SINCE_17}.items())
    of_superusers = ", ".join(f"('{name}', '{value}', true)" for name, value in _OF_SUPERUSERS.items())
    # Asked one by one: the view pg_settings would put all of the server's settings together first.
    setting = (
        "SELECT pg_catalog.set_config(v.name, v.value, false) "  # noqa: S608  our own names and values
        f"FROM (VALUES {of_all}, {of_superusers}) AS v (name, value, superuser) "
        "WHERE pg_catalog.current_setting(v.name, true) IS NOT NULL "
        "AND (NOT v.superuser OR pg_catalog.current_setting('is_superuser') = 'on')"
    )
    # First what could end the others, and what decides which operators the last one calls.
    return "SET statement_timeout = 0", "SET search_path = ''", setting


def as_options(settings: Mapping[str, str]) -> str:
    r"""Write settings as libpq's `options` wants them: a blank or a backslash in a value has a backslash before it.

    >>> as_options({"DateStyle": "ISO, MDY", "default_tablespace": ""})
    '-c DateStyle=ISO,\\ MDY -c default_tablespace='
    """
    escaped = {name: value.replace("\\", "\\\\").replace(" ", "\\ ") for name, value in settings.items()}
    return " ".join(f"-c {name}={value}" for name, value in escaped.items())

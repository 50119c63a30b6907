# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finding pg_restore: one that reads the archive, by its real program and not the distribution's wrapper.

A pg_restore reads archives of its own major version and of older ones. It may be newer than the server: the settings
that such a server does not know are then left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...values import Client, ServerFacts
from ..clients import installed, package_of, version_of


def find_restore_clients(facts: ServerFacts, manifest: Mapping[str, Any]) -> list[Client]:
    """Return every pg_restore of this host; the usable ones first, the best of them at the head."""
    server = facts.version_number[0]
    clients = [_looked_at(path, manifest) for path in installed("pg_restore")]
    return sorted(clients, key=lambda client: (not client.usable, client.major != server, client.major))


def restore_package_name(manifest: Mapping[str, Any]) -> str:
    """Name the package that brings a pg_restore that reads the archive."""
    return package_of(writer(manifest))


def writer(manifest: Mapping[str, Any]) -> int:
    """Return the major version of the pg_dump that wrote the archive."""
    return int(str(manifest["client"]["version"]).partition(".")[0])


def _looked_at(path: Path, manifest: Mapping[str, Any]) -> Client:
    def client(version: str, major: int, reason: str, *, usable: bool = False) -> Client:
        return Client(str(path), "postgresql", version, major, usable, reason)

    with path.open("rb") as file:
        if file.read(2) == b"#!":
            return client("", 0, "it is a script that picks one of the real programs by itself")
    version = version_of(path)
    if version is None:
        return client("", 0, "it does not tell its version")
    major = int(version.split(".")[0])
    wrote = f"pg_dump {manifest['client']['version']}, which wrote the archive"
    if major < writer(manifest):
        return client(version, major, f"it is older than {wrote}")
    return client(version, major, f"it is not older than {wrote}", usable=True)

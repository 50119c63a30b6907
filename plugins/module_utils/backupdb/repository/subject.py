# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a backup is of: a database, or the accounts of its instance."""

from __future__ import annotations

from dataclasses import dataclass

from . import layout


@dataclass(frozen=True)
class Subject:
    """A database by its true name, or the accounts, which have none."""

    database: str | None

    @property
    def is_accounts(self) -> bool:
        """Whether these are the accounts."""
        return self.database is None

    @property
    def kind(self) -> str:
        """As manifests say it: "database" or "accounts"."""
        return "accounts" if self.database is None else "database"

    @property
    def title(self) -> str:
        """What it is called where databases and accounts are named side by side."""
        return layout.ACCOUNTS_FOLDER if self.database is None else self.database

    @property
    def folder(self) -> str:
        """The folder of its backups below that of the instance."""
        return layout.ACCOUNTS_FOLDER if self.database is None else layout.encode_name(self.database)

    @property
    def text(self) -> str:
        """Name it in a sentence."""
        return "the accounts" if self.database is None else f"database {self.database!r}"


ACCOUNTS = Subject(None)

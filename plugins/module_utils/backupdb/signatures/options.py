# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The option that says whose backups are believed, on its way into the requests of what reads them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import InvalidOption
from ..system.options import Option
from .keys import public_key

OPTIONS: Mapping[str, Option] = {"signed_by": Option("list", elements="str")}


def signed_by_from(options: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Return the public keys, each as one line; None where no signature is demanded. Raises `InvalidOption`.

    An empty list is refused: a variable that is empty by mistake must not let everything pass.
    """
    texts = options["signed_by"]
    if texts is None:
        return None
    if not texts:
        raise InvalidOption("signed_by is empty; name the public keys of the hosts, or leave it out")
    return tuple(public_key(text) for text in texts)

# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Importing the library `cryptography` only where it is needed, and saying which package brings it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ..errors import RequirementMissing


@contextmanager
def cryptography_needed(by: str) -> Iterator[None]:
    """Import from `cryptography` in the block, for what `by` says, as in "signatures need".

    Raises `RequirementMissing`, which names the packages.
    """
    try:
        yield
    except ImportError as error:
        raise RequirementMissing(
            f"{by} the Python library cryptography, 3.4.8 or newer ({error}); "
            "install python3-cryptography (Debian, Ubuntu, Enterprise Linux) or cryptography (PyPI)",
            library="cryptography",
        ) from error

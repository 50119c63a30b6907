# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that hold a secret key: private to their owner, made whole or not at all, and never replaced."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from ..errors import InvalidOption
from .files import OTHERS, link_new_file, read_small_file


def read_key_file(path: str, limit: int, name: str, *, must_be_private: bool) -> tuple[bytes, int]:
    """Return the content and the mode of a key's file, which messages call `name`.

    Raises `InvalidOption` when others have rights on it and `must_be_private`; else as `read_small_file`.
    """
    mode = 0

    def check(status: os.stat_result) -> None:
        nonlocal mode
        mode = stat.S_IMODE(status.st_mode)
        if must_be_private and mode & OTHERS:
            raise InvalidOption(
                f"The {name} {path} has mode {mode:04o}: others than its owner can reach the secret key."
                f" Run `chmod 0600 {path}`, and make a new key if somebody may have read it."
            )

    return read_small_file(Path(path), limit, check=check, follow=True), mode


def publish_key_file(path: str, content: bytes, name: str) -> None:
    """Make a key's file of mode 0600; what is there already is never replaced. Raises `InvalidOption`."""
    target = Path(path)
    try:
        link_new_file(target, content)
    except FileExistsError as error:
        raise InvalidOption(
            f"The file {path} exists already. It is never replaced; use it, or another path."
        ) from error
    except FileNotFoundError as error:
        raise InvalidOption(f"The directory {target.parent} does not exist. Create it first (mode 0700).") from error
    except OSError as error:
        raise InvalidOption(
            f"The {name} {path} cannot be written: {error.strerror}. Check the directory's owner, mode and"
            " filesystem (it must have hard links)."
        ) from error

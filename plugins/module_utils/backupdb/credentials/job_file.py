# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file with the secrets of one job: `NAME`, mode 0600, or `NAME.cred`, encrypted by systemd-creds(1).

systemd decrypts the latter when it starts the job's service, with a key of this machine (its TPM, or a file of root's),
so that the file alone is of no use elsewhere.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import CredentialsMissing
from ..system.files import is_there
from .private_files import read_private_file, remove_private_file, replace_private_file

_SECONDS = 60


@dataclass(frozen=True)
class JobFile:
    """What a job's file is to be. Without `secrets` it is removed. `encrypt` is `auto`, `always` or `never`."""

    folder: Path
    name: str
    secrets: Mapping[str, Any]
    encrypt: str = "auto"


def keep(wanted: JobFile, *, check_mode: bool) -> dict[str, Any]:
    """Make the file so and return where it is and whether it is encrypted; raises `CredentialsMissing`."""
    plain, encrypted = wanted.folder / wanted.name, wanted.folder / f"{wanted.name}.cred"
    there = [path for path in (plain, encrypted) if is_there(path)]
    warnings: list[str] = []
    target, content = None, None
    if wanted.secrets:
        target, content = _choice(wanted, plain, encrypted, warnings, check_mode=check_mode)
    surplus = [path for path in there if path != target]
    if not check_mode:
        if target is not None and content is not None:
            replace_private_file(target, content)
        for path in surplus:
            remove_private_file(path)
    return {
        "changed": content is not None or bool(surplus),
        "path": str(target) if target is not None else None,
        "encrypted": target == encrypted,
        "warnings": warnings,
        "diff": {
            "before": "".join(f"{path.name}\n" for path in there),
            "after": f"{target.name}{', new content' if content is not None else ''}\n" if target is not None else "",
        },
    }


def _choice(
    wanted: JobFile, plain: Path, encrypted: Path, warnings: list[str], *, check_mode: bool
) -> tuple[Path, bytes | None]:
    """Return which file holds the secrets, and what to write into it; None where it holds them already.

    What systemd encrypts looks different each time, so the content that is there is decrypted and compared.
    """
    content = json.dumps(wanted.secrets, sort_keys=True).encode("ascii")
    if wanted.encrypt != "never":
        if is_there(encrypted) and _decrypted(encrypted, wanted.name) == content:
            return encrypted, None
        sealed = _encrypted(content, wanted, warnings, check_mode=check_mode)
        if sealed is not None:
            return encrypted, sealed
    return plain, None if _has(plain, content) else content


def _has(path: Path, content: bytes) -> bool:
    """Return whether a file holds just that; one that is open to others is made anew."""
    try:
        return read_private_file(path, must_be_mine=False) == content
    except CredentialsMissing:
        return False


def _encrypted(content: bytes, wanted: JobFile, warnings: list[str], *, check_mode: bool) -> bytes | None:
    """Encrypt, and make sure that it can be decrypted; None where it cannot be done and need not."""
    program = shutil.which("systemd-creds")
    if check_mode and program is not None:
        return b""
    problem = "systemd-creds is not installed (it comes with systemd 250)"
    if program is not None:
        sealed, problem = _run([program, "encrypt", f"--name={wanted.name}", "-", "-"], content)
        if sealed is not None:
            opened, problem = _run([program, "decrypt", f"--name={wanted.name}", "-", "-"], sealed)
            if opened == content:
                return sealed
            problem = problem or "what it encrypts, it decrypts to something else"
    if wanted.encrypt == "always":
        raise CredentialsMissing(
            f"the secrets of job {wanted.name} cannot be encrypted: {problem}; let a plain file of mode 0600 do, with "
            "schedule_credentials: file"
        )
    if program is not None:
        warnings.append(f"the secrets of job {wanted.name} are in a plain file of mode 0600: systemd-creds: {problem}")
    return None


def _decrypted(path: Path, name: str) -> bytes | None:
    program = shutil.which("systemd-creds")
    if program is None:
        return None
    return _run([program, "decrypt", f"--name={name}", str(path), "-"], b"")[0]


def _run(argv: list[str], given: bytes) -> tuple[bytes | None, str]:
    """Run systemd-creds and return what it wrote, or None and why not."""
    try:
        done = subprocess.run(argv, input=given, capture_output=True, check=False, timeout=_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        return None, type(error).__name__
    if done.returncode != 0:
        return None, done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
    return done.stdout, ""

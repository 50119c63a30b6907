# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates for servers that speak TLS, made with the openssl program."""

from __future__ import annotations

import subprocess
from pathlib import Path

from support.binaries import program

# An elliptic one, because it is made at once.
NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]


def openssl(*arguments: str, folder: Path) -> None:
    command = [str(program("openssl", "openssl")), *arguments]
    done = subprocess.run(command, cwd=folder, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} failed: {done.stdout}")


class CertificateAuthority:
    """A self-signed authority in `folder`; `certificate` is what clients trust."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        self.folder = folder
        self.certificate = folder / "ca.pem"
        if not self.certificate.exists():
            openssl(
                *["req", "-x509", *NEW_KEY, "-sha256", "-days", "30"],
                *["-subj", "/CN=backupdb test authority", "-addext", "keyUsage=critical,keyCertSign,cRLSign"],
                *["-keyout", "ca.key", "-out", "ca.pem"],
                folder=folder,
            )

    def issue(self, common_name: str, *, names: tuple[str, ...] = ()) -> tuple[Path, Path]:
        """Certificate and key (0600) for `common_name`; `names` are host names and addresses it is valid for."""
        stem = "".join(letter if letter.isalnum() else "_" for letter in common_name)
        kinds = ["IP" if name.replace(".", "").isdigit() or ":" in name else "DNS" for name in names]
        extensions = ["basicConstraints=CA:FALSE"]
        if names:
            extensions.append("subjectAltName=" + ",".join(f"{kind}:{name}" for kind, name in zip(kinds, names)))
        (self.folder / f"{stem}.ext").write_text("\n".join(extensions) + "\n", encoding="utf-8")
        openssl(
            *["req", *NEW_KEY, "-subj", f"/CN={common_name}"],
            *["-keyout", f"{stem}.key", "-out", f"{stem}.csr"],
            folder=self.folder,
        )
        openssl(
            *["x509", "-req", "-sha256", "-days", "30", "-in", f"{stem}.csr", "-extfile", f"{stem}.ext"],
            *["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out", f"{stem}.pem"],
            folder=self.folder,
        )
        key = self.folder / f"{stem}.key"
        key.chmod(0o600)
        return self.folder / f"{stem}.pem", key

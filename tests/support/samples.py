# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What earlier versions kept on a host, copied to where a test can use it; see tests/samples."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from support.jobs import JobHost
from support.private_server import PrivateServer

SAMPLES = Path(__file__).parents[1] / "samples"
VERSIONS = sorted(path.name for path in SAMPLES.glob("version_*"))
PLACE = "/srv/backupdb-sample"  # where it was made, and so what the files say
# What tests/samples/make.py chose; it also runs in checkouts that do not have this file.
USER = "sample_backup"
PASSWORD = "sample-Vq7mT2xK9cRw4ZsB"
PASSPHRASE = "sample correct horse battery staple"
_ARCHIVE_SUFFIX = ".bin"


class SampleHost(JobHost):
    """A host as a version left it, in a folder of a test; every job's paths are those of that folder."""

    def __init__(self, folder: Path, version: str) -> None:
        super().__init__(folder)
        self.detached = folder / "detached"
        self.metrics = folder / "metrics"
        shutil.copytree(SAMPLES / version, folder, dirs_exist_ok=True)
        for path in folder.rglob("*"):
            # git keeps no modes but the executable one
            path.chmod(0o700 if path.is_dir() else 0o600)
        for path in self.repository.rglob(f"*{_ARCHIVE_SUFFIX}"):
            path.rename(path.with_suffix(""))
        for path in self.job_files():
            path.write_text(path.read_text(encoding="utf-8").replace(PLACE, str(folder)), encoding="utf-8")

    def job_files(self) -> list[Path]:
        """The files of all jobs."""
        return sorted((self.config_dir / "jobs.d").glob("*.json"))

    def use(self, server: PrivateServer) -> None:
        """Let the jobs back up this server instead of the one of its engine that the sample was made with."""
        for path in self.job_files():
            job = json.loads(path.read_text(encoding="utf-8"))
            for entry in job["backups"]:
                if entry["engine"] == server.engine:
                    entry["login_port"] = server.port
            path.write_text(json.dumps(job), encoding="utf-8")

    def folder_of(self, instance: str, database: str = "shop") -> Path:
        """The newest backup of a database."""
        return max((self.repository / "db1" / instance / database).glob("2*Z-*"))

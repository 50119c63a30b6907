# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A private moto server: an object store without keys, strict where Amazon's is and others are not."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from support import run_state
from support.private_server import free_port
from support.tls import CertificateAuthority

_START_SECONDS = 60


class Moto:
    """One server, which keeps everything in memory. With `tls` it has a certificate of `authority`."""

    def __init__(self, *, tls: bool = False) -> None:
        self.folder = run_state.new_folder("moto")
        self.port = free_port()
        self.authority = CertificateAuthority(self.folder / "authority") if tls else None
        self._process: subprocess.Popen[bytes] | None = None
        (self.folder / "data").mkdir()  # its working directory, by which a dead run's servers are found

    @property
    def url(self) -> str:
        return f"{'http' if self.authority is None else 'https'}://localhost:{self.port}"

    def start(self) -> Moto:
        """Start it, and wait until it answers."""
        argv = [str(Path(sys.executable).with_name("moto_server")), "-H", "127.0.0.1", "-p", str(self.port)]
        if self.authority is not None:
            certificate, key = self.authority.issue("localhost", names=("localhost", "127.0.0.1"))
            argv += ["-c", str(certificate), "-k", str(key)]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(argv, cwd=self.folder / "data", stdout=log, stderr=log)
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                self.client().list_buckets()
            except BotoCoreError as error:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    log_end = (self.folder / "log").read_text(encoding="utf-8", errors="replace")[-2000:]
                    raise RuntimeError(f"moto's server did not start: {error}\n{log_end}") from error
                time.sleep(0.1)
            else:
                return self

    def kill(self) -> None:
        """End it at once."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def client(self) -> Any:
        """Return a client, for looking at what is there and for doing harm."""
        return boto3.client(
            "s3",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id="anybody",
            aws_secret_access_key="anything",
            verify=None if self.authority is None else str(self.authority.certificate),
            config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 0}, connect_timeout=5, proxies={}),
        )

    def bucket(self, name: str, *, versions: bool = False, lock_days: int | None = None) -> str:
        """Make a bucket; with `lock_days` everything in it is locked for that long."""
        client = self.client()
        client.create_bucket(Bucket=name, **({"ObjectLockEnabledForBucket": True} if lock_days else {}))
        if versions or lock_days:
            client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        if lock_days:
            rule = {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": lock_days}}
            client.put_object_lock_configuration(
                Bucket=name, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": rule}
            )
        return name

    def copy(self, bucket: str, **more: Any) -> dict[str, Any]:
        """Return the options of a copy in a bucket, its secrets apart under `secrets`."""
        options = {"name": "strict", "type": "s3", "bucket": bucket, "endpoint": self.url, "addressing": "path", **more}
        return {"options": options, "secrets": {"access_key_id": "anybody", "secret_access_key": "anything"}}

    def names(self, bucket: str) -> list[str]:
        """Return the keys that a bucket shows."""
        pages = self.client().get_paginator("list_objects_v2").paginate(Bucket=bucket)
        return [entry["Key"] for page in pages for entry in page.get("Contents", ())]

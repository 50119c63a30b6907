# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A private SeaweedFS: an object store with versions, locks, policies and keys of several rights."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from support import run_state
from support.private_server import free_port

_START_SECONDS = 60
# Its name is both the access key and, twice, the secret; an administrator's key is no host's.
_ACTIONS = {
    "admin": ["Admin", "Read", "Write", "List", "Tagging"],
    "host": ["Write", "List", "Read"],
    "writer": ["Write"],
    "reader": ["Read", "List"],
    "granted": ["ReadAcp"],  # of no use; has what the policy of a bucket gives it
}


class Seaweed:
    """One server. `key(name)` are the secrets of the identities `admin`, `host`, `writer`, `reader`, `granted`.

    It listens on `address`, which others reach at the name `host`. With a `folder` of its own it outlives the process
    that started it; `secrets` are other ones by name of identity. With a `metrics_port` it tells there what it has
    done.
    """

    def __init__(
        self,
        *,
        volumes: int = 1000,
        folder: Path | None = None,
        port: int | None = None,
        secrets: Mapping[str, str] | None = None,
        metrics_port: int = 0,
        address: str = "127.0.0.1",
        host: str = "127.0.0.1",
    ) -> None:
        self.address, self.host = address, host
        self.folder = folder or run_state.new_folder("seaweed")
        ports = _distinct_ports(8)
        self.port = port or ports.pop()
        self.secrets = dict(secrets or {})
        self.metrics_port = metrics_port
        self._volumes = volumes
        self._process: subprocess.Popen[bytes] | None = None
        self._ports = {name: ports.pop() for name in ("master", "volume", "filer")}
        self._grpc = {name: ports.pop() for name in ("master", "volume", "filer", "s3")}
        identities = [
            {
                "name": name,
                "credentials": [
                    {"accessKey": self.key(name)["access_key_id"], "secretKey": self.key(name)["secret_access_key"]}
                ],
                "actions": actions,
            }
            for name, actions in _ACTIONS.items()
        ]
        if port is None:
            (self.folder / "s3.json").touch(mode=0o600)
            (self.folder / "s3.json").write_text(json.dumps({"identities": identities}), encoding="utf-8")
            (self.folder / "data").mkdir()

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    @property
    def filer_port(self) -> int:
        """Where it takes files without asking for a key; buckets are folders below /buckets there."""
        return self._ports["filer"]

    def key(self, name: str) -> dict[str, str]:
        """The secrets of an identity, as the options of a copy have them."""
        secret = self.secrets.get(name, f"{name}-secret-{name}")
        return {"access_key_id": f"{name}-access", "secret_access_key": secret}

    def argv(self) -> list[str]:
        """The command that starts it, in any working directory."""
        argv = [
            str(Path(sys.executable).with_name("weed")),
            "server",
            f"-ip={self.address}",
            f"-ip.bind={self.address}",
            f"-dir={weed_folder(self)}",
            "-s3",
            f"-s3.port={self.port}",
        ]
        argv += [
            f"-s3.config={self.folder / 's3.json'}",
            "-s3.port.iceberg=0",
            "-s3.port.lance=0",
            f"-metricsPort={self.metrics_port}",
            "-master.telemetry=false",
        ]
        argv += [f"-volume.max={self._volumes}", "-master.volumeSizeLimitMB=256", "-volume.minFreeSpacePercent=0"]
        argv += [f"-{name}.port={port}" for name, port in self._ports.items()]
        argv += [f"-{name}.port.grpc={port}" for name, port in self._grpc.items()]
        return argv

    def start(self) -> Seaweed:
        """Start it, and wait until it answers."""
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self.argv(), cwd=weed_folder(self), stdout=log, stderr=log, start_new_session=True
            )
        deadline = time.monotonic() + _START_SECONDS
        client = self.client()
        while True:
            try:
                client.list_buckets()
                # It answers before it can store anything.
                self._try_to_store(client)
            except (BotoCoreError, ClientError) as error:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    log_end = (self.folder / "log").read_text(encoding="utf-8", errors="replace")[-2000:]
                    raise RuntimeError(f"SeaweedFS did not start: {error}\n{log_end}") from error
                time.sleep(0.2)
            else:
                return self

    @staticmethod
    def _try_to_store(client: Any) -> None:
        with suppress(client.exceptions.BucketAlreadyOwnedByYou):  # it was started before
            client.create_bucket(Bucket="ready-or-not")
        client.put_object(Bucket="ready-or-not", Key="x", Body=b"x")

    def pause(self) -> None:
        """Let it answer nothing."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it answer again."""
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it at once; asked to stop it takes half a minute."""
        if self._process is not None:
            self._signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def _signal(self, number: int) -> None:
        assert self._process is not None
        os.killpg(self._process.pid, number)

    def client(self, name: str = "admin") -> Any:
        """Return a client of an identity, for looking at what is there and for doing harm."""
        key = self.key(name)
        return boto3.client(
            "s3",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id=key["access_key_id"],
            aws_secret_access_key=key["secret_access_key"],
            config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 0}, connect_timeout=5, proxies={}),
        )

    def bucket(
        self, name: str, *, versions: bool = False, lock_days: int | None = None, mode: str = "COMPLIANCE"
    ) -> str:
        """Make a bucket; with `lock_days` everything in it is locked for that long."""
        client = self.client()
        client.create_bucket(Bucket=name, **({"ObjectLockEnabledForBucket": True} if lock_days else {}))
        if versions or lock_days:
            client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        if lock_days:
            rule = {"DefaultRetention": {"Mode": mode, "Days": lock_days}}
            client.put_object_lock_configuration(
                Bucket=name, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": rule}
            )
        return name

    def grant(self, bucket: str, policy: str) -> None:
        """Give the identity `granted` in a bucket what a policy says."""
        document = json.loads(policy)
        for statement in document["Statement"]:
            statement["Principal"] = {"AWS": "arn:aws:iam::000000000000:user/granted"}
        self.client().put_bucket_policy(Bucket=bucket, Policy=json.dumps(document))

    def copy(self, bucket: str, *, key: str = "host", **more: Any) -> dict[str, Any]:
        """Return the options of a copy in a bucket, its secrets apart under `secrets`."""
        options = {
            "name": "offsite",
            "type": "s3",
            "bucket": bucket,
            "endpoint": self.url,
            "addressing": "path",
            **more,
        }
        return {"options": options, "secrets": self.key(key)}

    def names(self, bucket: str) -> list[str]:
        """Return the keys that a bucket shows."""
        pages = self.client().get_paginator("list_objects_v2").paginate(Bucket=bucket)
        return [entry["Key"] for page in pages for entry in page.get("Contents", ())]


def weed_folder(server: Seaweed) -> Path:
    """Return where a server keeps its data."""
    return server.folder / "data"


def _distinct_ports(count: int) -> list[int]:
    """Free ports, no two the same: nothing listens on any of them before all are chosen."""
    ports: set[int] = set()
    while len(ports) < count:
        ports.add(free_port())
    return list(ports)

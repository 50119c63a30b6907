# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sending files to S3: in one request, or in parts that are slices of the file, so that memory stays flat.

A file is hashed before the request that makes it exist, and compared with what its manifest says: a file that rotted on
this host never gets a name in the store. What a broken upload has sent is kept by the store and gone on with, also by
another process: which upload it was is asked of the store, or noted beside the shadow where the key may not ask.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any

from ...errors import ArchiveDamaged, StoreError, StoreRefused, StoreUnavailable
from ...system.files import open_regular
from ...system.text import human_size
from ..files import storage_errors
from .file_slices import Slice, blocks, sha256_of
from .interface import Arrival, Meter, Upload
from .outgoing import damaged
from .s3_client import is_absent, is_refused, store_error
from .s3_objects import check_head, description, send

if TYPE_CHECKING:
    from .s3 import S3Store

_MIB = 1 << 20
SINGLE = 32 * _MIB  # bytes; up to here a file is one request
_SMALLEST_PART = 16 * _MIB
_HEADROOM = 0.95  # of max_parts
_AT_ONCE = 4  # parts
_SENT = "sent "  # begins the note of a file that was sent whole
_COMPLETING = "completing "  # begins that of one whose parts have all been sent


def part_size(size: int, max_parts: int) -> int:
    """Return how large the parts of a file are: in whole MiB, and so that there are never too many."""
    least = -(-size // max(1, int(max_parts * _HEADROOM)))
    return max(_SMALLEST_PART, -(-least // _MIB) * _MIB)


def parts_of(size: int, max_parts: int) -> int:
    """Return in how many requests a file of this size goes."""
    return 1 if size <= SINGLE else -(-size // part_size(size, max_parts))


class S3Arrival(Arrival):
    """One backup, object by object; its manifest makes it exist."""

    def __init__(self, store: S3Store, place: str, meter: Meter) -> None:
        self._store = store
        self._place = place
        self._meter = meter

    def put(self, upload: Upload) -> None:
        """Send one file."""
        limit = self._store.copy.place["object_limit"]
        if upload.size > limit:
            raise StoreError(
                f"{upload.path} has {human_size(upload.size)}, and the store takes at most {human_size(limit)} a file; "
                "let the dump be made of parts, with dump_jobs"
            )
        with storage_errors(upload.path, "reading"):
            descriptor = open_regular(upload.path)
        try:
            if os.fstat(descriptor).st_size != upload.size:
                raise ArchiveDamaged(
                    f"{upload.path} has {os.fstat(descriptor).st_size} bytes, the manifest says {upload.size}; it was "
                    "not sent"
                )
            if self._is_there(upload):
                return
            if upload.size <= SINGLE:
                self._put_whole(upload, descriptor)
            else:
                _Multipart(self._store, upload, descriptor, self._meter).run()
        finally:
            os.close(descriptor)
        self._store.notes.keep(upload.name, _SENT + upload.sha256)

    def finish(self) -> None:
        """Forget what was noted on the way, by earlier attempts too: the manifest tells it now."""
        self._store.notes.forget_below(self._place)

    def _is_there(self, upload: Upload) -> bool:
        """Tell whether an earlier attempt has sent this file: by the store, or by our notes if it must not be asked."""
        noted = self._store.notes.get(upload.name) == _SENT + upload.sha256
        try:
            head = self._store.head(upload.name)
        except StoreRefused:
            return noted
        if head is None:
            if noted:
                self._store.notes.forget(upload.name)
            return False
        check_head(self._store, upload, head)
        return True

    def _put_whole(self, upload: Upload, descriptor: int) -> None:
        with storage_errors(upload.path, "reading"):
            digest = sha256_of(descriptor, 0, upload.size)
        if digest != upload.sha256:
            raise damaged(upload)

        def put() -> None:
            with closing(Slice(descriptor, 0, upload.size, self._meter)) as body:
                self._store.client.put_object(
                    **self._store.key(upload.name),
                    Body=body,
                    ChecksumAlgorithm="SHA256",
                    ChecksumSHA256=_base64(bytes.fromhex(upload.sha256)),
                    **description(self._store, upload),
                )

        send(self._store, upload, put)


class _Multipart:
    """One file in parts."""

    def __init__(self, store: S3Store, upload: Upload, descriptor: int, meter: Meter) -> None:
        self._store = store
        self._upload = upload
        self._descriptor = descriptor
        self._meter = meter
        self._key = store.key(upload.name)
        self._part_size = part_size(upload.size, store.copy.place["max_parts"])

    def run(self) -> None:
        """Send what is missing, compare the whole, and only then make the object exist."""
        upload_id, sent = self._begun()
        if upload_id is None:
            if self._was_completed():
                return
            upload_id = self._begin()
        whole = hashlib.sha256()
        parts: list[dict[str, Any]] = []
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="part") as pool:
            waiting: list[Future[dict[str, Any]]] = []
            try:
                for number, offset, size in self._slices():
                    digest, md5 = self._hash(offset, size, whole, with_md5=number in sent)
                    there = sent.get(number)
                    if there is not None and _same(there, size, digest, md5):
                        parts.append(_part(number, there["ETag"], digest))
                        continue
                    waiting.append(pool.submit(self._send, upload_id, number, offset, size, digest))
                    while len(waiting) >= _AT_ONCE:
                        parts.append(waiting.pop(0).result())
                parts += [future.result() for future in waiting]
            except BaseException:
                for future in waiting:
                    future.cancel()
                raise
        if whole.hexdigest() != self._upload.sha256:
            self._give_up(upload_id)
            raise damaged(self._upload)
        self._complete(upload_id, sorted(parts, key=lambda part: int(part["PartNumber"])))

    def _slices(self) -> Iterator[tuple[int, int, int]]:
        for number, offset in enumerate(range(0, self._upload.size, self._part_size), start=1):
            yield number, offset, min(self._part_size, self._upload.size - offset)

    def _hash(self, offset: int, size: int, whole: Any, *, with_md5: bool) -> tuple[bytes, str]:
        """Hash a part, and go on with the whole; the MD5 only to know a part that was sent before."""
        part = hashlib.sha256()
        etag = hashlib.md5(usedforsecurity=False)
        with storage_errors(self._upload.path, "reading"):
            for block in blocks(self._descriptor, offset, size):
                part.update(block)
                whole.update(block)
                if with_md5:
                    etag.update(block)
        return part.digest(), etag.hexdigest()

    def _begun(self) -> tuple[str | None, Mapping[int, Mapping[str, Any]]]:
        """Return the upload of this file that was broken off, if the key may see it, and its parts by number."""
        from botocore.exceptions import BotoCoreError, ClientError

        def uploads() -> list[Any]:
            try:
                answer = self._store.client.list_multipart_uploads(Bucket=self._key["Bucket"], Prefix=self._key["Key"])
            except (BotoCoreError, ClientError, OSError) as error:
                if is_refused(error) or is_absent(error):
                    return []
                raise store_error(
                    error, self._store.copy, self._store.where(self._upload.name), "asking for"
                ) from error
            return [entry for entry in answer.get("Uploads", ()) if entry["Key"] == self._key["Key"]]

        noted = upload_noted(self._store.notes.get(self._upload.name))
        ids = [noted] if noted is not None else [str(entry["UploadId"]) for entry in self._store.patience.call(uploads)]
        for upload_id in reversed(ids):
            parts = self._parts(upload_id)
            if parts is not None:
                return upload_id, parts
        return None, {}

    def _parts(self, upload_id: str) -> dict[int, Mapping[str, Any]] | None:
        """Return the parts that an upload has; None when it cannot be gone on with."""
        found: dict[int, Mapping[str, Any]] = {}
        request: dict[str, Any] = {**self._key, "UploadId": upload_id}
        while True:
            try:
                page = self._store.ask("list_parts", "asking for", self._upload.name, **request)
            except StoreUnavailable:
                raise
            except StoreError:
                return None
            found.update({int(part["PartNumber"]): part for part in page.get("Parts", ())})
            following = page.get("NextPartNumberMarker")
            if not page.get("IsTruncated") or not following:
                return found
            request["PartNumberMarker"] = following

    def _begin(self) -> str:
        answer = self._store.ask(
            "create_multipart_upload",
            "sending",
            self._upload.name,
            **self._key,
            ChecksumAlgorithm="SHA256",
            **description(self._store, self._upload),
        )
        upload_id = str(answer["UploadId"])
        self._store.notes.keep(self._upload.name, upload_id)
        return upload_id

    def _send(self, upload_id: str, number: int, offset: int, size: int, digest: bytes) -> dict[str, Any]:
        def send_part() -> Any:
            with closing(Slice(self._descriptor, offset, size, self._meter)) as body:
                return self._store.client.upload_part(
                    **self._key,
                    UploadId=upload_id,
                    PartNumber=number,
                    Body=body,
                    ContentLength=size,
                    ChecksumAlgorithm="SHA256",
                    ChecksumSHA256=_base64(digest),
                )

        answer = self._store.attempt(send_part, "sending", self._upload.name)
        return _part(number, answer["ETag"], digest)

    def _was_completed(self) -> bool:
        """Tell whether an earlier run has sent all parts, and was killed before it heard that they are the object.

        A key that may not look asks for the same once more: the object is there, or the parts still are, or the store
        refuses, and then the file is sent anew.
        """
        note = self._store.notes.get(self._upload.name) or ""
        if not note.startswith(_COMPLETING):
            return False
        whole = hashlib.sha256()
        parts = []
        for number, offset, size in self._slices():
            digest, md5 = self._hash(offset, size, whole, with_md5=True)
            parts.append(_part(number, f'"{md5}"', digest))
        if whole.hexdigest() != self._upload.sha256:
            raise damaged(self._upload)
        try:
            self._complete(upload_noted(note) or "", parts)
        except (StoreRefused, StoreUnavailable):
            raise
        except StoreError:
            return False
        return True

    def _complete(self, upload_id: str, parts: list[dict[str, Any]]) -> None:
        self._store.notes.keep(self._upload.name, _COMPLETING + upload_id)
        request = {**self._key, "UploadId": upload_id, "MultipartUpload": {"Parts": parts}}
        made = False

        def complete() -> None:
            nonlocal made
            self._store.client.complete_multipart_upload(**request)
            made = True

        try:
            send(self._store, self._upload, complete)
        except (StoreRefused, StoreUnavailable):
            raise  # the next run goes on with the parts
        except StoreError:
            self._give_up(upload_id)
            raise
        if not made:
            self._give_up(upload_id)

    def _give_up(self, upload_id: str) -> None:
        give_up(self._store, self._upload.name, upload_id)


def upload_noted(note: str | None) -> str | None:
    """Return the upload that a note is about; None where all of a file was sent, or nothing is noted."""
    if note is None or note.startswith(_SENT):
        return None
    return note[len(_COMPLETING) :] if note.startswith(_COMPLETING) else note


def give_up(store: S3Store, name: str, upload_id: str | None = None) -> None:
    """Let the store forget the parts of a file, as far as the key may do that; of the noted upload without one."""
    wanted = upload_id or upload_noted(store.notes.get(name))
    if wanted is not None:
        with suppress(StoreError):
            store.ask("abort_multipart_upload", "giving up", name, **store.key(name), UploadId=wanted)
    store.notes.forget(name)


def _same(there: Mapping[str, Any], size: int, digest: bytes, md5: str) -> bool:
    """Tell whether a part that the store has is ours; its tag is an MD5, where the store does not give our digest."""
    if there.get("Size") != size:
        return False
    checksum = there.get("ChecksumSHA256")
    if checksum:
        return bool(checksum == _base64(digest))
    return str(there.get("ETag", "")).strip('"') == md5


def _part(number: int, etag: str, digest: bytes) -> dict[str, Any]:
    return {"PartNumber": number, "ETag": etag, "ChecksumSHA256": _base64(digest)}


def _base64(digest: bytes) -> str:
    return base64.b64encode(digest).decode("ascii")

# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every stage that changes bytes looks like: compression, encryption and their inverses."""

from __future__ import annotations

from typing import Protocol, Union, runtime_checkable

BytesLike = Union[bytes, bytearray, memoryview]


class Transform(Protocol):
    """A push transform: bytes go in by `update`, what is ready comes out as its return value.

    The input is not kept by reference, so that the caller may reuse its buffer at once. A return value may be
    empty, and is about as large as the input at most (expanding stages say so). `finish` is called once, after
    the last `update`, and returns what is left; an inverse stage raises there when its input was cut short.
    """

    def update(self, data: BytesLike) -> bytes: ...

    def finish(self) -> bytes: ...


@runtime_checkable
class Program(Transform, Protocol):
    """A transform that a started program does: `end` ends it, for a stream that does not come to its end."""

    def end(self) -> None: ...

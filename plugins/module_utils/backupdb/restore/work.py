# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all steps of one restore share."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..engines.interface import Engine
from ..engines.values import Client, RestoreOptions
from ..streams.meter import Meter
from ..streams.pipeline import Limits
from .plan import RestorePlan
from .request import RestoreRequest
from .result import RestoreState


@dataclass(frozen=True)
class Work:
    """What all steps of one restore share. `cleaning` is the engine for clearing up: it goes on when the rest stops."""

    request: RestoreRequest
    plan: RestorePlan
    engine: Engine
    cleaning: Engine
    client: Client
    inspection_client: Client
    limits: Limits
    state: RestoreState
    meter: Meter

    @property
    def options(self) -> RestoreOptions:
        """What engines are told of the request."""
        return replace(
            self.request.options,
            past_errors=self.request.accept_errors,
            final_name=self.plan.target,
            closed=bool(self.request.masking),
        )

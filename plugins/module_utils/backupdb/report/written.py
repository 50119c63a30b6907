# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The forms in which a report is written, told by the end of a file's name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Callable

from ..errors import InvalidOption
from .as_csv import csv_of
from .as_html import html_of


def _json_of(model: Mapping[str, Any]) -> str:
    return json.dumps(model, indent=1) + "\n"


_FORMS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {".html": html_of, ".json": _json_of, ".csv": csv_of}
FORMS = tuple(_FORMS)


def text_of(model: Mapping[str, Any], path: Path) -> str:
    """Return the report in the form of the file; raises `InvalidOption`, and `RequirementMissing` for a page."""
    make = _FORMS.get(path.suffix.lower())
    if make is None:
        raise InvalidOption(f"{path} says not what to write: the name of the file must end in {', '.join(FORMS)}")
    return make(model)

# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Print the metrics of this host for Prometheus, or write them where its node exporter looks."""

from __future__ import annotations

import argparse
import sys

from ..errors import FAILED
from ..monitoring import metrics
from . import exit_status
from .common_options import add_config_dir, jobs_of
from .output import complain, write_json


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the command's options."""
    parser.add_argument("--write", action="store_true", help="write them into the metrics_dir of each job")
    parser.add_argument("--json", action="store_true", help="with --write: print what went wrong as JSON")
    add_config_dir(parser)


def run(options: argparse.Namespace) -> int:
    """Print or write them and return the exit status."""
    jobs = jobs_of(options.config_dir)
    if not options.write:
        sys.stdout.write(metrics.of_host(jobs))
        sys.stdout.flush()
        return exit_status.OK
    warnings = metrics.write_for(jobs)
    for warning in warnings:
        complain(warning)
    if options.json:
        write_json({"status": "failed" if warnings else "ok", "warnings": warnings})
    return FAILED if warnings else exit_status.OK

# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Print how much of the plugins the measured parts cover together, and the files that they cover least.

    python tools/lib/coverage_report.py [--judge] PART ...

Lines and branches count alike. With --judge the exit status is 1 below the floor, `fail_under` in pyproject.toml.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import warnings
from pathlib import Path
from typing import Any

from coverage import Coverage
from coverage.exceptions import CoverageWarning

ROOT = Path(__file__).resolve().parents[2]
MEASUREMENTS = ROOT / ".cache" / "coverage"
FOLDERS = ("filter", "module_utils", "modules", "plugin_utils")  # what `include` in pyproject.toml names
SHOWN = 10


def main() -> int:
    parser = argparse.ArgumentParser(description="Print how much of the plugins the measured parts cover.")
    parser.add_argument("--judge", action="store_true", help="fail below the floor")
    parser.add_argument("part", nargs="+", help="a part of tools/test that was measured")
    arguments = parser.parse_args()
    found = [str(path) for part in arguments.part for path in MEASUREMENTS.glob(f"{part}.*")]
    if not found:
        print(f"nothing was measured by {', '.join(arguments.part)}")
        return 1
    coverage = Coverage(data_file=str(MEASUREMENTS / "all"), config_file=str(ROOT / "pyproject.toml"))
    report = read_report(coverage, found)
    covered = report["totals"]["percent_covered"]
    least = sorted(report["files"].items(), key=lambda entry: entry[1]["summary"]["percent_covered"])
    print(f"{covered:.2f} % of the lines and branches of {len(least)} files; least:")
    for name, file in least[:SHOWN]:
        print(line_of(name, file["summary"]))
    floor = float(str(coverage.get_option("report:fail_under")))
    if arguments.judge and covered < floor:
        print(f"that is below the floor of {floor} %: test what was added, or what is listed above")
        return 1
    return 0


def read_report(coverage: Coverage, found: list[str]) -> dict[str, Any]:
    """Return what coverage writes as JSON about all plugins; a file that no test imported counts with all its lines."""
    with warnings.catch_warnings():
        # Processes that a test kills leave half a file.
        warnings.simplefilter("ignore", CoverageWarning)
        coverage.combine(found, keep=True)
    # The archives in which modules travel have packages that are no files here: they are left out.
    files = [str(path) for folder in FOLDERS for path in sorted((ROOT / "plugins" / folder).rglob("*.py"))]
    coverage.get_data().touch_files(files)
    with tempfile.TemporaryDirectory() as folder:
        outfile = Path(folder) / "report.json"
        coverage.json_report(files, outfile=str(outfile))
        report: dict[str, Any] = json.loads(outfile.read_text(encoding="utf-8"))
    return report


def line_of(name: str, summary: dict[str, Any]) -> str:
    lines, branches = summary["missing_lines"], summary["missing_branches"]
    return f"{summary['percent_covered']:6.1f} %  {name}: {lines} lines and {branches} branches are missing"


if __name__ == "__main__":
    raise SystemExit(main())

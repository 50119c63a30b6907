# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ansible-test runs as get-pip when it makes a virtual environment, without the download.

ansible-test looks for the script in its cache before it fetches it. This one brings pip from Python's own ensurepip
and lets that pip install the version that ansible-test asks for, from the index that pip is configured for.
"""

from __future__ import annotations

import subprocess
import sys

# get-pip's own switches, which pip does not know.
OWN_SWITCHES = {"--no-setuptools", "--no-wheel"}


def main(arguments: list[str]) -> int:
    subprocess.run([sys.executable, "-m", "ensurepip"], check=True, stdout=subprocess.DEVNULL)
    wanted = [argument for argument in arguments if argument not in OWN_SWITCHES]
    return subprocess.run([sys.executable, "-m", "pip", "install", *wanted], check=False).returncode


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

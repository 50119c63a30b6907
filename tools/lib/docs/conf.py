# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of Sphinx for the documentation site; tools/docs builds it. Nothing here needs the network."""

from __future__ import annotations

import sys
from pathlib import Path

import yaml

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

galaxy = yaml.safe_load((HERE.parents[2] / "galaxy.yml").read_text(encoding="utf-8"))

project = f"{galaxy['namespace']}.{galaxy['name']}"
project_copyright = ", ".join(galaxy["authors"])
version = release = galaxy["version"]

extensions = ["myst_parser", "sphinx_antsibull_ext", "collection_pages"]
# The start page includes it.
exclude_patterns = ["README.md"]
# Every reference that leads nowhere is a warning, and warnings fail the build.
nitpicky = True
myst_heading_anchors = 4
highlight_language = "none"
# Only dashes, which antsibull-docs writes as two hyphens.
smartquotes_action = "D"

html_theme = "furo"
html_title = f"{project} {release}"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_use_index = False
# static/site.css has the colours, because these follow the light and dark mode of the theme.
antsibull_ext_color_scheme = "none"

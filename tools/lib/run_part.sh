# shellcheck shell=bash
# One part of tools/test in its own process: bash tools/lib/run_part.sh NAME
set -euo pipefail
for piece in common packages debian_suite mysql_sid venv axe fleet site coverage chaos controller parts; do
  # shellcheck source=/dev/null
  . "$(dirname "${BASH_SOURCE[0]}")/$piece.sh"
done
cd "$ROOT"
"part_$1"

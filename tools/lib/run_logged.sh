# shellcheck shell=bash
# One part of tools/test beside others: its output is kept in a log and printed in one piece when the part ends.
# bash tools/lib/run_logged.sh NAME
set -euo pipefail
here=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=/dev/null
. "$here/common.sh"
part=$1
log=$CACHE/logs/$part.log

say "== $part: begins"
if bash "$here/run_part.sh" "$part" >"$log" 2>&1 </dev/null; then verdict=passed; else verdict=FAILED; fi
{
  flock 9
  say "== $part"
  cat "$log"
  say "== $part: $verdict in $SECONDS s"
} 9>"$CACHE/logs/.printing"
printf '%s\n' "$verdict" >"$CACHE/logs/$part.verdict"

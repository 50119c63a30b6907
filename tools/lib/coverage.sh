# shellcheck shell=bash
# How much of the plugins the tests reach: measuring parts and judging what they measured together. Sourced, never run.

MEASURED_PARTS=(unit integration ansible restore copies mysql)
MEASUREMENTS=$CACHE/coverage

# measured PART ARGUMENT ...: pytest, with a measurement of the part's own, because parts run beside each other.
measured() {
  mkdir -p "$MEASUREMENTS"
  rm -f "$MEASUREMENTS/$1".*
  COVERAGE_FILE=$MEASUREMENTS/$1 coverage run "$VENV/bin/pytest" "${@:2}"
}

# report_coverage "PART ..." "FAILED ...": print what the parts that ran have measured together. The floor, fail_under in
# pyproject.toml, holds for all measured parts, so it is judged only when all of them ran and passed.
report_coverage() {
  local part ran=() missing=()
  for part in "${MEASURED_PARTS[@]}"; do
    [[ " $1 " != *" $part "* ]] || ran+=("$part")
    [[ " $1 " == *" $part "* && " $2 " != *" $part "* ]] || missing+=("$part")
  done
  [ "${#ran[@]}" -gt 0 ] || return 0
  say "== coverage of ${ran[*]}"
  if [ "${#missing[@]}" = 0 ]; then
    python "$ROOT/tools/lib/coverage_report.py" --judge "${ran[@]}"
  else
    python "$ROOT/tools/lib/coverage_report.py" "${ran[@]}" &&
      say "not judged by the floor: for that ${missing[*]} must run and pass as well"
  fi
}

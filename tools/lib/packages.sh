# shellcheck shell=bash
# Debian packages that the tests use. Sourced, never run.

# shellcheck disable=SC2034  # used by tools/test
PACKAGES=(
  git ca-certificates openssl util-linux acl systemd
  python3-venv
  postgresql-15 postgresql-client-15 mariadb-server mariadb-client
  age zstd rclone openssh-client openssh-server groff-base
  gcc libc6-dev libfaketime
  python3-sqlalchemy python3-pymysql python3-psycopg2 python3-cryptography python3-zstandard
  python3-jsonschema python3-yaml python3-boto3
)

# For part pages alone, which installs them itself.
# shellcheck disable=SC2034  # used by tools/lib/parts.sh
BROWSER_PACKAGES=(chromium chromium-driver fonts-dejavu-core)

missing_packages() {
  local package
  for package in "$@"; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || printf '%s\n' "$package"
  done
}

# A server package starts its service when it is installed. A policy-rc.d that answers 101 ("not allowed") prevents
# that; one that was there before is put back afterwards.
install_without_starting_services() (
  policy=/usr/sbin/policy-rc.d
  saved=$policy.before-backupdb
  # shellcheck disable=SC2329  # called by the trap
  restore() {
    rm -f "$policy"
    if [ -e "$saved" ] || [ -L "$saved" ]; then mv "$saved" "$policy"; fi
  }
  if [ -e "$policy" ] || [ -L "$policy" ]; then mv "$policy" "$saved"; fi
  trap restore EXIT
  trap 'exit 130' INT TERM
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
  export DEBIAN_FRONTEND=noninteractive
  quietly apt-get update -qq -o DPkg::Lock::Timeout=300 || exit 1
  quietly apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=300 "$@"
)

ensure_packages() {
  local missing
  mapfile -t missing < <(missing_packages "$@")
  [ "${#missing[@]}" -gt 0 ] || return 0
  can_install || die "missing packages; on Debian 12, as root: apt-get install --no-install-recommends ${missing[*]}"
  say "installing ${missing[*]}"
  install_without_starting_services "${missing[@]}" || die "apt-get could not install: ${missing[*]}"
}

# Whether this machine is a Debian on which packages may be installed.
can_install() { [ "$(id -u)" = 0 ] && [ -x "$(command -v apt-get)" ]; }

# ensure_what_parts_need PART ...: where packages can be installed, all of them, so that no part leaves anything out.
# Elsewhere the parts outside DEBIAN_PARTS need nothing but git, and a Python that ensure_main_venv looks for.
ensure_what_parts_need() {
  local part demanding=()
  if can_install; then
    ensure_packages "${PACKAGES[@]}" "${FLEET_PACKAGES[@]}"
    # Before any other part runs: two cannot install at once. The browser is large, so only where it is wanted.
    [[ " $* " != *" pages "* ]] || ensure_packages "${BROWSER_PACKAGES[@]}"
    return
  fi
  for part in "$@"; do
    [[ " ${DEBIAN_PARTS[*]} " != *" $part "* ]] || demanding+=("$part")
  done
  if [ "${#demanding[@]}" -gt 0 ]; then
    [ -x "$(command -v dpkg-query)" ] || die "only on Debian 12, as root: ${demanding[*]}. On any Linux: ./tools/test ${PORTABLE_PARTS[*]}"
    ensure_packages "${PACKAGES[@]}" "${FLEET_PACKAGES[@]}"
  fi
  [ -x "$(command -v git)" ] || die "the program git is missing: install it, for instance by this system's package manager"
}

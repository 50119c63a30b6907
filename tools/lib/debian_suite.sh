# shellcheck shell=bash
# Servers that Debian 12 has not. The packages of another suite are unpacked, not installed, into a folder of their own
# together with the libraries they need (that suite's libc too), and the programs are told by patchelf to use those
# libraries. Nothing of the system changes. Sourced, never run.

UNPACKED=/var/cache/vya-backupdb

# ensure_unpacked SUITE NAME "PACKAGES" "PROGRAMS": then UNPACKED/SUITE/bin holds the programs (paths below /usr).
# Parts that run beside each other may ask for the same suite: the second one waits for the first.
ensure_unpacked() {
  local suite=$1 name=$2 folder=$UNPACKED/$1 recipe packages programs
  read -ra packages <<<"$3"
  read -ra programs <<<"$4"
  recipe=$(printf '%s\n' "$@" | cat - "${BASH_SOURCE[0]}" | sha256sum)
  [ "$(cat "$folder/.complete" 2>/dev/null)" != "$recipe" ] || return 0
  [ "$(id -u)" = 0 ] || die "$name from Debian $suite is not there yet: run this once as root"
  ensure_packages patchelf
  mkdir -p "$UNPACKED"
  (
    flock 9
    [ "$(cat "$folder/.complete" 2>/dev/null)" != "$recipe" ] || exit 0
    unpack_suite
  ) 9>"$UNPACKED/.$suite.lock" || exit
}

# The work of ensure_unpacked, with its variables.
unpack_suite() {
  say "unpacking $name from Debian $suite"
  rm -rf "$folder" "$folder.new"
  mkdir -p "$folder.new"
  if ! { download_from_suite "$suite" "$folder.new/apt" "${packages[@]}" && unpack "$folder.new" "$folder" "${programs[@]}"; }; then
    die "$name could not be had from Debian $suite, so nothing was tested: the messages above say why (suites move)"
  fi
  printf '%s' "$recipe" >"$folder.new/.complete"
  mv "$folder.new" "$folder"
}

# Packages with all they depend on, by a private apt whose only source is this machine's own mirror, another suite.
download_from_suite() {
  local suite=$1 private=$2 mirror
  shift 2
  # shellcheck disable=SC2016  # REPO_URI is apt's own word, not the shell's
  mirror=$(apt-get indextargets --format '$(REPO_URI)' \
    'Created-By: Packages' 'Component: main' 'Origin: Debian' 'Label: Debian' | head -n 1)
  [ -n "$mirror" ] || {
    say "apt knows no Debian mirror; run apt-get update" >&2
    return 1
  }
  mkdir -p "$private/lists/partial" "$private/archives/partial"
  : >"$private/status"
  printf 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s %s main\n' "$mirror" "$suite" \
    >"$private/sources.list"
  local options=(
    -o "Dir::State=$private" -o "Dir::State::lists=$private/lists" -o "Dir::State::status=$private/status"
    -o "Dir::Cache=$private" -o "Dir::Cache::archives=$private/archives"
    -o "Dir::Etc::sourcelist=$private/sources.list" -o Dir::Etc::sourceparts=/dev/null
    -o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts=/dev/null
    -o APT::Install-Recommends=false -o APT::Sandbox::User=root -o Acquire::Languages=none
  )
  quietly apt-get "${options[@]}" update -qq &&
    quietly apt-get "${options[@]}" install -y -qq --download-only "$@"
}

# unpack FOLDER FINAL PROGRAMS: from FOLDER/apt/archives/*.deb to FOLDER/bin. Programs remember FINAL, the later place.
unpack() {
  local folder=$1 final=$2 package program interpreter libraries
  shift 2
  # Packages of older suites have files in /lib, which is a link into /usr on every system of today.
  mkdir -p "$folder/usr/lib" "$folder/usr/lib64"
  ln -s usr/lib usr/lib64 "$folder"
  for package in "$folder"/apt/archives/*.deb; do
    dpkg-deb --fsys-tarfile "$package" \
      | tar -x -C "$folder" --no-same-owner --keep-directory-symlink --exclude='./usr/share/doc' || return 1
  done
  # The loader of an older suite is a link from the root of the system: "/lib/…".
  for program in "$folder"/usr/lib64/*; do
    [[ "$(readlink "$program")" != /* ]] || ln -sf "..$(readlink "$program")" "$program"
  done
  rm -rf "$folder/apt"
  libraries=$(cd "$folder/usr/lib" && printf "$final/usr/lib/%s:" ./*-linux-gnu mysql/private)
  mkdir -p "$folder/bin"
  for program in "$@"; do
    ln -s "../usr/$program" "$folder/bin/" || return 1
    [ "$(head -c 2 "$folder/usr/$program")" != '#!' ] || continue
    interpreter=$(patchelf --print-interpreter "$folder/usr/$program") || return 1
    [ -e "$folder/usr$interpreter" ] || { say "its libc6 has no $interpreter" >&2 && return 1; }
    # --force-rpath: unlike a runpath, it also holds for the libraries of libraries.
    patchelf --set-interpreter "$final/usr$interpreter" --force-rpath --set-rpath "$libraries" \
      "$folder/usr/$program" || return 1
  done
}

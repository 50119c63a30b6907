# shellcheck shell=bash
# MySQL for the tests: Debian 12 has no MySQL server, sid has one. Its packages are unpacked, not installed, into a
# folder of their own together with the libraries they need (sid's libc too), and the three programs are told by
# patchelf to use those libraries. Nothing of the system changes. Sourced, never run.

MYSQL_FOLDER=/var/cache/vya-backupdb/sid
MYSQL_PACKAGES=(mysql-server-core mysql-client-core libc6)

ensure_mysql() {
  local recipe
  recipe=$(sha256sum <"${BASH_SOURCE[0]}")
  [ "$(cat "$MYSQL_FOLDER/.complete" 2>/dev/null)" != "$recipe" ] || return 0
  [ "$(id -u)" = 0 ] || die "MySQL from Debian sid is not there yet: run this once as root"
  ensure_packages patchelf
  say "unpacking MySQL from Debian sid"
  rm -rf "$MYSQL_FOLDER" "$MYSQL_FOLDER.new"
  mkdir -p "$MYSQL_FOLDER.new"
  if ! { download_from_sid "$MYSQL_FOLDER.new/apt" "${MYSQL_PACKAGES[@]}" && unpack_mysql "$MYSQL_FOLDER.new"; }; then
    die "MySQL could not be had from Debian sid, so nothing was tested: the messages above say why (sid moves)"
  fi
  printf '%s' "$recipe" >"$MYSQL_FOLDER.new/.complete"
  mv "$MYSQL_FOLDER.new" "$MYSQL_FOLDER"
}

# Packages with all they depend on, by a private apt whose only source is this machine's own mirror, suite sid.
download_from_sid() {
  local private=$1 mirror
  shift
  # shellcheck disable=SC2016  # REPO_URI is apt's own word, not the shell's
  mirror=$(apt-get indextargets --format '$(REPO_URI)' \
    'Created-By: Packages' 'Component: main' 'Origin: Debian' 'Label: Debian' | head -n 1)
  [ -n "$mirror" ] || {
    say "apt knows no Debian mirror; run apt-get update" >&2
    return 1
  }
  mkdir -p "$private/lists/partial" "$private/archives/partial"
  : >"$private/status"
  printf 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s sid main\n' "$mirror" >"$private/sources.list"
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

# From FOLDER/apt/archives/*.deb to FOLDER/bin/{mysqld,mysql,mysqldump}. Programs remember MYSQL_FOLDER, the final place.
unpack_mysql() {
  local folder=$1 package name interpreter libraries
  for package in "$folder"/apt/archives/*.deb; do
    dpkg-deb --fsys-tarfile "$package" | tar -x -C "$folder" --no-same-owner --exclude='./usr/share/doc' || return 1
  done
  rm -rf "$folder/apt"
  libraries=$(cd "$folder/usr/lib" && printf "$MYSQL_FOLDER/usr/lib/%s:" ./*-linux-gnu mysql/private)
  mkdir -p "$folder/bin"
  for name in sbin/mysqld bin/mysql bin/mysqldump; do
    interpreter=$(patchelf --print-interpreter "$folder/usr/$name") || return 1
    [ -e "$folder/usr$interpreter" ] || { say "sid's libc6 has no $interpreter" >&2 && return 1; }
    # --force-rpath: unlike a runpath, it also holds for the libraries of libraries.
    patchelf --set-interpreter "$MYSQL_FOLDER/usr$interpreter" --force-rpath --set-rpath "$libraries" \
      "$folder/usr/$name" || return 1
    ln -s "../usr/$name" "$folder/bin/"
  done
}

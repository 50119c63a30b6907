# shellcheck shell=bash
# MySQL for the tests: Debian 12 has no MySQL server, sid has one. Sourced after debian_suite.sh, never run.

ensure_mysql() {
  ensure_unpacked sid MySQL 'mysql-server-core mysql-client-core libc6' 'sbin/mysqld bin/mysql bin/mysqldump'
}

# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the options in `engines.options.OPTIONS`."""

from __future__ import annotations


class ModuleDocFragment:
    """Which server is meant and how to log in."""

    DOCUMENTATION = r"""
requirements:
  - Python library SQLAlchemy >= 1.4.31
  - Python library psycopg2 >= 2.9 (for PostgreSQL)
  - Python library PyMySQL >= 1.0.2 (for MySQL and MariaDB)
options:
  instance:
    description:
      - Your name for this database server, such as V(shop-pg).
      - It is the name of a folder in the repository, so keep it once backups exist.
    type: str
    required: true
  engine:
    description:
      - What kind of server it is.
      - V(mysql) and V(mariadb) are interchangeable; the server is asked which of the two it is.
    type: str
    required: true
    choices: [postgresql, mysql, mariadb]
  login_host:
    description:
      - Name or address of the server, reached over TCP.
      - Exactly one of O(login_host) and O(login_unix_socket) is needed.
    type: str
  login_port:
    description:
      - Port of the server.
      - The default is the engine's usual one, V(5432) or V(3306).
      - With PostgreSQL and O(login_unix_socket) it is the number in the socket's file name.
    type: int
  login_user:
    description:
      - Account of the database server.
      - If it is not given, the environment variable E(BACKUPDB_LOGIN_USER) on the host is used,
        and otherwise the name of the operating system's user who runs the module.
    type: str
  login_password:
    description:
      - Password of O(login_user). Not needed for logins by operating system user (C(peer), C(unix_socket)).
      - If it is not given, the environment variable E(BACKUPDB_LOGIN_PASSWORD) on the host is used.
    type: str
  login_unix_socket:
    description:
      - Socket of the server on this host.
      - For PostgreSQL the directory of the socket, or the socket file itself. For MySQL and MariaDB the socket file.
    type: path
  login_db:
    description:
      - Database to connect to for queries about the whole server.
      - The default is V(postgres) for PostgreSQL, and none for MySQL and MariaDB.
    type: str
  ssl_mode:
    description:
      - Whether the connection is encrypted and whether the server's certificate is checked.
      - V(prefer) encrypts if the server can, and does not warn if it cannot. V(require) insists on encryption without a
        check of the certificate. V(verify_ca) checks who signed the certificate, V(verify_full) also checks that it is
        for O(login_host).
      - It has no effect with O(login_unix_socket).
    type: str
    default: prefer
    choices: [prefer, disable, require, verify_ca, verify_full]
  ca_cert:
    description:
      - File with the certificates that are trusted, on the host.
      - The default is the system's own bundle.
    type: path
  client_cert:
    description:
      - File with the certificate that shows who the client is, on the host.
    type: path
  client_key:
    description:
      - File with the private key of O(client_cert), on the host.
    type: path
  connect_timeout:
    description:
      - Seconds to wait for a connection.
    type: int
    default: 10
"""

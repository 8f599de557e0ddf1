#!/bin/sh
# Install what the tests need beside Python, where we may: Chromium for the page, and node with what checks it, Java for the standard caption scorers,
# OpenVINO, with which caption-service computes where it is installed,
# exiftool to read what was written into images, MariaDB for storage where no MySQL is at hand, mysqldump for its
# backup, promtool for the alerts.
# Where we may not, say what will be skipped.
set -u

make --no-print-directory openvino || echo "Not installed: OpenVINO. Tests that need it are skipped, and fail in CI."

missing=""
command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null \
    || [ -n "${LEGENDA_TEST_CHROMIUM:-}" ] || missing="chromium"
command -v java >/dev/null || missing="$missing default-jre-headless"
command -v exiftool >/dev/null || missing="$missing libimage-exiftool-perl"
# tests/mysql_server.py looks in the same places and starts what it finds.
PATH=$PATH:/usr/sbin:/usr/local/sbin:/usr/local/bin:/opt/homebrew/bin
[ -n "${LEGENDA_TEST_MYSQL_URL:-}" ] || command -v mysqld >/dev/null || command -v mariadbd >/dev/null \
    || missing="$missing mariadb-server-core mariadb-client-core"  # only the programs: no server starts with the machine
command -v mysqldump >/dev/null && command -v mysql >/dev/null || missing="$missing mariadb-client"

# promtool alone, out of Debian's package of Prometheus: installing that would start a server with the machine.
if ! command -v promtool >/dev/null; then
    folder=$(mktemp -d)
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq \
        && (cd "$folder" && apt-get download -qq prometheus && dpkg-deb --extract prometheus_*.deb .) >/dev/null 2>&1; then
        install "$folder/usr/bin/promtool" /usr/local/bin/promtool && echo "Installed for the tests: promtool"
    else
        echo "Not installed: promtool. The tests of deploy/prometheus are skipped."
    fi
    rm -rf "$folder"
fi
command -v npm >/dev/null || missing="$missing nodejs npm"
if [ -z "$missing" ]; then
    sh tests/web/prepare.sh
    exit
fi

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing for the tests: $missing"
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null && exec sh tests/web/prepare.sh
fi
echo "Not installed: $missing. Tests that need them are skipped, each with its reason."

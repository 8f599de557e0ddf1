#!/bin/sh
# Install what the tests need beside Python, where we may: Chromium for the page, Java for the standard caption scorers,
# exiftool to read what was written into images.
# Where we may not, say what will be skipped.
set -u

missing=""
command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null \
    || [ -n "${LEGENDA_TEST_CHROMIUM:-}" ] || missing="chromium"
command -v java >/dev/null || missing="$missing default-jre-headless"
command -v exiftool >/dev/null || missing="$missing libimage-exiftool-perl"
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing for the tests: $missing"
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null && exit 0
fi
echo "Not installed: $missing. Tests that need them are skipped, each with its reason."

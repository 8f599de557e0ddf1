#!/bin/sh
# Make what `docker compose up` needs, and keep what is there: make-secrets.sh [FOLDER]
#
# The files can be read by everybody, for a container's user has another number than yours; the folder, which nobody
# else can enter, is what keeps them. Docker hands each container only the files that it is given.
set -eu
cd "${1:-.}"

random() { od -An -tx1 -N"$1" /dev/urandom | tr -d ' \n'; }

keep() {
    if [ -s "secrets/$1" ]; then
        echo "secrets/$1 is there already"
    else
        printf '%s\n' "$2" >"secrets/$1"
        echo "secrets/$1 written"
    fi
    chmod 644 "secrets/$1"
}

mkdir -p secrets
chmod 700 secrets
keep admin_key "legenda_$(random 6)_$(random 32)"
keep internal_token "$(random 32)"
# Versions before kept MySQL's password in .env; the database still has that one.
keep mysql_password "$(sed -n 's/^LEGENDA_MYSQL_PASSWORD=\(..*\)$/\1/p' .env 2>/dev/null | tail -n 1 | grep . || random 32)"
# Of the bucket of `--profile s3`; without the profile it opens nothing.
keep s3_secret_access_key "$(random 32)"

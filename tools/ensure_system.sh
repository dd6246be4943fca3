#!/bin/sh
# The tests drive a real browser, Debian's Chromium, and start a PostgreSQL server and a Dovecot of their own. Gets them when that can be done
# here, else says what is missing: those tests are then skipped, except with CI set, where a missing program is an error.
# With HUB_TEST_POSTGRES_URL the tests use that server and need no PostgreSQL here.
set -eu

missing=""
[ -x /usr/bin/chromium ] || missing="chromium"

has_postgres() {
    [ -n "${HUB_TEST_POSTGRES_URL:-}" ] || command -v initdb >/dev/null 2>&1 || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1
}
has_postgres || missing="$missing postgresql"

dovecot=/usr/sbin/dovecot
[ -x "$dovecot" ] || missing="$missing dovecot-imapd"

if [ -z "$missing" ]; then exit 0; fi

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    log=$(mktemp)
    trap 'rm -f "$log"' EXIT
    apt-get update -qq >"$log" 2>&1 || cat "$log" >&2
    # Without this Debian makes and starts a server of its own, which nobody here asked for.
    if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
        mkdir -p /etc/postgresql-common
        echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.conf
    fi
    if [ ! -x "$dovecot" ] && [ ! -e /usr/sbin/policy-rc.d ]; then dovecot_begun=1; else dovecot_begun=0; fi
    for package in $missing; do
        echo "Installing $package for the tests ..."
        DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$package" >"$log" 2>&1 || tail -n 20 "$log" >&2
    done
    # Debian starts the package's own server; the tests start theirs.
    if [ "$dovecot_begun" = 1 ] && command -v systemctl >/dev/null 2>&1; then systemctl disable --now dovecot >/dev/null 2>&1 || true; fi
fi

lacking=0
if [ ! -x /usr/bin/chromium ]; then
    lacking=1
    echo "chromium is missing: install it to /usr/bin/chromium (Debian, Ubuntu: sudo apt-get install chromium)." >&2
    echo "The browser tests will be skipped." >&2
fi
if ! has_postgres; then
    lacking=1
    echo "PostgreSQL is missing: install it (Debian, Ubuntu: sudo apt-get install postgresql), or name a server in" >&2
    echo "HUB_TEST_POSTGRES_URL. The tests on PostgreSQL will be skipped." >&2
fi

if [ ! -x "$dovecot" ]; then
    lacking=1
    echo "Dovecot is missing: install it (Debian, Ubuntu: sudo apt-get install dovecot-imapd)." >&2
    echo "The tests of reading mailboxes will be skipped." >&2
fi

if [ "$lacking" = 1 ] && [ -n "${CI:-}" ]; then exit 1; fi

#!/bin/sh
# The tests drive a real browser, Debian's Chromium. Gets it when that can be done here, else says what is missing:
# the browser tests are then skipped, except with CI set, where a missing browser is an error.
set -eu

chromium=/usr/bin/chromium
if [ -x "$chromium" ]; then exit 0; fi

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing chromium for the browser tests ..."
    log=$(mktemp)
    trap 'rm -f "$log"' EXIT
    if { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends chromium; } \
        >"$log" 2>&1 && [ -x "$chromium" ]; then exit 0; fi
    tail -n 20 "$log" >&2
    echo "chromium could not be installed: the lines above say why." >&2
else
    echo "chromium is missing: install it to $chromium (Debian, Ubuntu: sudo apt-get install chromium)." >&2
fi

if [ -n "${CI:-}" ]; then exit 1; fi
echo "The browser tests will be skipped." >&2

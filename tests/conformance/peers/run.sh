#!/bin/sh
# Holds Brigade, nginx, axum, actix, uvicorn and node against the same cases, and prints the tables of docs/correctness.md. Not a
# test: it tells what others do. With --write it writes failures.md beside it, too. tests/needs.sh installs what it needs.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../../.." && pwd)
needs=${BRIGADE_NEEDS_DIR:-$top/target/needs}
built=${CARGO_TARGET_DIR:-$top/target}/debug
(cd "$top" && cargo build --quiet --package brigade --package brigade-conformance-peers)
work=$(mktemp -d)
pids=
trap 'kill $pids 2>/dev/null || true; wait; rm -rf "$work"' EXIT
export PYTHONDONTWRITEBYTECODE=1 PATH="$PATH:/usr/sbin"

# NAME COMMAND...: starts a server.
run() { name=$1; shift; "$@" >"$work/$name.log" 2>&1 & pids="$pids $!"; }
listens() {
    "$needs/venv/bin/python" - "$1" <<'END'
import socket, sys, time
for _ in range(300):
    try:
        sys.exit(socket.create_connection(("127.0.0.1", int(sys.argv[1]))).close())
    except ConnectionRefusedError:
        time.sleep(0.1)
sys.exit(1)
END
}
# CASES NAME PORT: holds it against them, when it listens.
cases() {
    listens "$3" || { echo "$2 does not listen:"; cat "$work/$2.log"; exit 1; }
    "$needs/venv/bin/python" "$here/../$1.py" "127.0.0.1:$3" >"$work/$1.$2" || true
}

cd "$here"
sed "s|DIRECTORY|$work|" nginx.conf >"$work/nginx.conf"
run Brigade env -u BRIGADE_NEEDS_DIR "$built/brigade" serve --bind 127.0.0.1:18480 --workers 1 --log-level error
run axum "$built/peer-axum" 18481
run actix "$built/peer-actix" 18482
run uvicorn "$needs/venv/bin/uvicorn" --no-access-log --log-level critical --port 18483 app:app
run node node app.js 18484 18487
run nginx nginx -c "$work/nginx.conf"
cases http1 Brigade 18480
cases http1 nginx 18485
cases http1 axum 18481
cases http1 actix 18482
cases http1 uvicorn 18483
cases http1 node 18484
cases http2 Brigade 18480
cases http2 nginx 18486
cases http2 axum 18481
cases http2 actix 18482
cases http2 node 18487
"$needs/venv/bin/python" table.py "$work" "$@"

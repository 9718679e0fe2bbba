#!/bin/sh
# Installs what the tests need beyond cargo. May be run again at any time: it does only what is
# still missing, and says what it does. The Python packages go into a directory of their own,
# target/needs or $BRIGADE_NEEDS_DIR; programs that are missing are installed as packages of the
# system, for which this script must run as root on Debian or Ubuntu.
set -eu
cd "$(dirname "$0")/.."
needs=${BRIGADE_NEEDS_DIR:-$PWD/target/needs}

say() { printf 'needs: %s\n' "$*"; }

# provide PACKAGE COMMAND...: installs the package unless the command succeeds.
provide() {
    package=$1
    shift
    if "$@" >/dev/null 2>&1; then
        say "$package is there"
        return
    fi
    if ! command -v apt-get >/dev/null; then
        say "\`$*\` fails and there is no apt-get here: install $package by hand" >&2
        exit 1
    fi
    say "installing $package"
    apt-get install -y -qq --no-install-recommends "$package" >/dev/null 2>&1 && return
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends "$package" >/dev/null
}

provide util-linux unshare --version
provide util-linux setpriv --version
provide util-linux prlimit --version
provide systemd systemd-socket-activate --version
provide nodejs node --version
provide sslscan sslscan --version
provide slowhttptest sh -c 'command -v slowhttptest'
provide openssl openssl version
provide python3 python3 --version
provide python3-venv python3 -c 'import venv, ensurepip'

if "$needs/venv/bin/python" -c 'import uvicorn, fastapi' 2>/dev/null; then
    say "uvicorn and fastapi are there: $needs/venv"
else
    say "making $needs/venv with uvicorn and fastapi"
    mkdir -p "$needs"
    python3 -m venv "$needs/venv"
    "$needs/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
        'uvicorn>=0.30' 'fastapi>=0.110'
fi
if [ "$("$needs/cargo/bin/cargo-deb" --version 2>/dev/null)" = 3.8.0 ]; then
    say "cargo-deb is there: $needs/cargo"
else
    # Half a minute: it is built quickly instead of being quick, and compresses by gzip alone.
    say "installing cargo-deb into $needs/cargo"
    (
        unset CARGO_TARGET_DIR
        cargo install --quiet --locked --root "$needs/cargo" --no-default-features cargo-deb@3.8.0 \
            --config profile.release.opt-level=0 --config profile.release.debug=false \
            --config 'profile.release.lto="off"' --config profile.release.codegen-units=16
    )
fi
if "$needs/venv/bin/python" -c 'import hpack' 2>/dev/null; then
    say "hpack is there: $needs/venv"
else
    say "installing hpack into $needs/venv"
    "$needs/venv/bin/python" -m pip install --quiet --disable-pip-version-check 'hpack==4.1.0'
fi
if "$needs/venv/bin/python" -c 'import kubernetes_validate, yaml' 2>/dev/null; then
    say "kubernetes-validate and PyYAML are there: $needs/venv"
else
    say "installing kubernetes-validate and PyYAML into $needs/venv"
    "$needs/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
        'kubernetes-validate>=1.34' 'PyYAML>=6'
fi
if [ "$(id -u)" = 0 ]; then
    provide buildah buildah --version
    provide debootstrap debootstrap --version
    say "the machines of tests/systemd, a Debian with systemd (built once, which takes a minute or more): $(BRIGADE_NEEDS_DIR=$needs tests/systemd/box tree)"
else
    say "not root: the tests under a real systemd (tests/systemd) cannot run here" >&2
fi
say "all there"

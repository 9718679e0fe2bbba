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

# What is installed here shall not start as a service by itself: a policy of 101 forbids it.
policy=/usr/sbin/policy-rc.d
if [ "$(id -u)" = 0 ] && [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
fi

provide util-linux unshare --version
provide util-linux setpriv --version
provide util-linux prlimit --version
provide systemd systemd-socket-activate --version
provide nodejs node --version
provide sslscan sslscan --version
provide slowhttptest sh -c 'command -v slowhttptest'
provide openssl openssl version
provide nginx-light sh -c 'PATH=$PATH:/usr/sbin nginx -v'
provide python3 python3 --version
provide python3-venv python3 -c 'import venv, ensurepip'

# What the tests drive and are driven by, in Python.
packages="uvicorn==0.54.0 fastapi==0.165.0 hpack==4.1.0 kubernetes-validate==1.37.0 PyYAML==6.0.3"
is_there='import sys, importlib.metadata as m
all(m.version(p.split("==")[0]) == p.split("==")[1] for p in sys.argv[1:]) or sys.exit(1)'
# shellcheck disable=SC2086 # They are words.
if "$needs/venv/bin/python" -c "$is_there" $packages 2>/dev/null; then
    say "$packages are there: $needs/venv"
else
    say "making $needs/venv with $packages"
    mkdir -p "$needs"
    python3 -m venv "$needs/venv"
    "$needs/venv/bin/python" -m pip install --quiet --disable-pip-version-check $packages
fi
# tool NAME VERSION [OPTION...]: a tool of cargo's. It is built quickly instead of being quick.
tool() {
    name=$1
    version=$2
    shift 2
    case $("$needs/cargo/bin/$name" --version 2>/dev/null) in
    *"$version") say "$name is there: $needs/cargo" && return ;;
    esac
    say "installing $name into $needs/cargo, which takes about a minute"
    (
        unset CARGO_TARGET_DIR
        cargo install --quiet --locked --root "$needs/cargo" "$name@$version" "$@" \
            --config profile.release.opt-level=0 --config profile.release.debug=false \
            --config 'profile.release.lto="off"' --config profile.release.codegen-units=16
    )
}
# It compresses by gzip alone.
tool cargo-deb 3.8.0 --no-default-features
tool cargo-deny 0.20.2 --no-default-features
if [ "$(id -u)" = 0 ]; then
    provide buildah buildah --version
    provide debootstrap debootstrap --version
    say "the machines of tests/systemd, a Debian with systemd (built once, which takes a minute or more): $(BRIGADE_NEEDS_DIR=$needs tests/systemd/box tree)"
else
    say "not root: the tests under a real systemd (tests/systemd) cannot run here" >&2
fi
say "all there"

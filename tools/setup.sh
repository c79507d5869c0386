#!/usr/bin/env bash
# Sets this checkout up: system packages (as root), a virtual environment, Python packages by hash.
#
#   tools/setup.sh run     what `make run` needs
#   tools/setup.sh test    that and what `make test` needs
#
# Each step leaves a stamp with the hash of what it was made from, so that a second call does nothing and takes no time.
set -euo pipefail

mode=${1:-run}
case $mode in
    run | test) ;;
    *)
        echo "usage: $0 run|test" >&2
        exit 2
        ;;
esac

cd "$(dirname "${BASH_SOURCE[0]}")/.."
venv=.venv

# libgl1 … libxcb1: OpenCV; libzbar0: codes; libpcsclite1, pcscd: card readers; fonts: Chinese on badges and pages; tzdata:
# the sites' time zones; the rest builds pyscard, which has no wheel.
run_packages=(
    libgl1 libglib2.0-0 libxcb1 libzbar0 libpcsclite1 pcscd fonts-noto-cjk tzdata
    gcc libc6-dev python3-dev libpcsclite-dev pkg-config
)
# A virtual card reader, an RTSP camera, a browser and the scaled setting's database. Tests that lack one say so.
test_packages=(
    vsmartcard-vpcd
    gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-ugly python3-gi
    chromium postgresql
)

say() { printf 'setup: %s\n' "$*"; }
die() {
    printf 'setup: %s\n' "$*" >&2
    exit 1
}

is_stamped() { [ "$(cat "$venv/.stamp-$1" 2>/dev/null)" = "$2" ]; }
stamp() { printf '%s\n' "$2" >"$venv/.stamp-$1"; }
hash_of() { sha256sum | cut -d ' ' -f 1; }

# Ubuntu renamed some libraries with the suffix t64; either name counts.
is_installed() {
    local name
    for name in "$1" "$1t64"; do
        if [ "$(dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null || true)" = installed ]; then
            return 0
        fi
    done
    return 1
}

missing_of() {
    local package
    for package in "$@"; do
        is_installed "$package" || printf '%s\n' "$package"
    done
}

apt_updated=no
apt_update() {
    [ "$apt_updated" = no ] || return 0
    say "reading the package lists"
    apt-get update -qq || say "apt-get update failed; going on with the lists that are there"
    apt_updated=yes
}

apt_install() {
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends -o Dpkg::Use-Pty=0 "$@" >/dev/null
}

has_candidate() {
    local policy
    policy=$(apt-cache policy "$1" 2>/dev/null || true)
    grep -q '^  Candidate: [^(]' <<<"$policy"
}

# System packages are all optional one by one: what is missing switches its device or its tests off, and both say so.
install_system_packages() {
    local package
    local -a wanted=("${run_packages[@]}") missing=() offered=() unknown=()
    if [ "$mode" = test ]; then
        wanted+=("${test_packages[@]}")
    fi
    local want
    want=$(printf '%s\n' "${wanted[@]}" | hash_of)
    is_stamped "system-$mode" "$want" && return 0
    if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
        say "not a Debian or Ubuntu system; what corresponds to these is yours to install: ${wanted[*]}"
        return 0
    fi
    mapfile -t missing < <(missing_of "${wanted[@]}")
    if [ ${#missing[@]} -eq 0 ]; then
        stamp "system-$mode" "$want"
        return 0
    fi
    if [ "$(id -u)" -ne 0 ]; then
        say "not root, so these system packages stay missing; to have all devices and tests run once:"
        say "    sudo apt-get install -y --no-install-recommends ${missing[*]}"
        return 0
    fi
    apt_update
    for package in "${missing[@]}"; do
        if has_candidate "$package"; then
            offered+=("$package")
        else
            unknown+=("$package")
        fi
    done
    if [ ${#unknown[@]} -gt 0 ]; then
        say "this release does not offer: ${unknown[*]}; going on without"
    fi
    if [ ${#offered[@]} -gt 0 ]; then
        say "installing ${offered[*]}"
        if ! apt_install "${offered[@]}"; then
            say "that failed; one by one instead"
            for package in "${offered[@]}"; do
                apt_install "$package" || say "could not install $package; going on without"
            done
            mapfile -t missing < <(missing_of "${offered[@]}")
            if [ ${#missing[@]} -gt 0 ]; then
                return 0 # No stamp: the next call tries again.
            fi
        fi
    fi
    stamp "system-$mode" "$want"
}

can_make_venv() { "$1" -c 'import ensurepip, venv' >/dev/null 2>&1; }

# The first that is new enough and can make a virtual environment, else the first that is new enough.
find_python() {
    local candidate second=
    for candidate in "${PYTHON:-}" python3.13 python3.12 python3.11 python3; do
        [ -n "$candidate" ] || continue
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
            if can_make_venv "$candidate"; then
                printf '%s\n' "$candidate"
                return 0
            fi
            second=${second:-$candidate}
        fi
    done
    [ -n "$second" ] && printf '%s\n' "$second"
}

make_venv() {
    if [ -x "$venv/bin/python" ] && "$venv/bin/python" -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        return 0
    fi
    local python package=python3-venv
    if ! python=$(find_python); then
        if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
            apt_update
            apt_install python3 python3-venv || true
        fi
        python=$(find_python) || die "Python 3.11 or newer is needed and none was found.
    Install one (sudo apt-get install -y python3 python3-venv) or name it: make PYTHON=/path/to/python3.12 …"
    fi
    if ! can_make_venv "$python"; then
        package=$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
        if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
            die "$python cannot make a virtual environment here. Run this and try again:
    sudo apt-get install -y $package"
        fi
        apt_update
        apt_install "$package" || apt_install python3-venv || die "could not install $package"
    fi
    say "making $venv with $("$python" --version)"
    rm -rf "$venv"
    "$python" -m venv "$venv"
}

# pyscard is the one package that is compiled. Without its headers everything but PC/SC readers still works.
can_build_pyscard() {
    local headers
    headers=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("include"))')
    command -v gcc >/dev/null && [ -f "$headers/Python.h" ] && pkg-config --exists libpcsclite 2>/dev/null
}

without_pyscard() {
    awk '/^[A-Za-z0-9]/ { skip = /^pyscard==/ } !skip' "$1"
}

install_python_packages() {
    local list=requirements/run.txt with_pyscard=yes want
    if [ "$mode" = test ]; then
        list=requirements/dev.txt
    fi
    if ! can_build_pyscard && ! "$venv/bin/python" -c 'import smartcard' 2>/dev/null; then
        with_pyscard=no
    fi
    want=$(hash_of < <(echo "pyscard $with_pyscard" && cat "$list"))
    is_stamped "python-$mode" "$want" && return 0
    say "installing the Python packages of $list"
    if [ "$with_pyscard" = no ]; then
        say "no C compiler or PC/SC headers, so PC/SC card readers stay off"
        without_pyscard "$list" >"$venv/requirements.txt"
        list=$venv/requirements.txt
    fi
    "$venv/bin/python" -m pip install -qq --disable-pip-version-check --no-input --require-hashes -r "$list"
    stamp "python-$mode" "$want"
    if [ "$mode" = test ]; then # The packages of `run` are among them.
        stamp python-run "$(hash_of < <(echo "pyscard $with_pyscard" && cat requirements/run.txt))"
    fi
}

make_venv
install_system_packages
install_python_packages

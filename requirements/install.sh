#!/usr/bin/env bash
# Makes .venv with the packages of requirements/dev.txt, each checked by its hash, and with this project itself.
# PYTHON=... names an interpreter; otherwise the first one of version 3.11 or newer on the PATH is taken.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() {
    printf 'make install: %s\n' "$*" >&2
    exit 1
}

is_new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }
makes_venvs() { "$1" -c 'import ensurepip, venv' 2>/dev/null; }

find_python() {
    local candidate without_venv=""
    for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11 python}; do
        is_new_enough "$candidate" || continue
        if makes_venvs "$candidate"; then
            printf '%s' "$candidate"
            return
        fi
        without_venv=${without_venv:-$candidate}
    done
    if [[ -n $without_venv ]]; then
        fail "$without_venv cannot make virtual environments, its modules 'venv' and 'ensurepip' are missing." \
            "On Debian and Ubuntu install the package $("$without_venv" -c \
                'import sys; print("python%d.%d-venv" % sys.version_info[:2])')."
    fi
    fail "there is no Python 3.11 or newer${PYTHON:+ at $PYTHON}." \
        "Install one (Debian, Ubuntu: python3 and python3-venv; macOS: brew install python@3.13)" \
        "or name it: make install PYTHON=/path/to/python3."
}

[[ -w . && (! -e .venv || -w .venv) ]] ||
    fail "user $(id -un) may not write in $PWD. Clone the repository into a folder of your own."

if ! { is_new_enough .venv/bin/python && .venv/bin/python -m pip --version >/dev/null 2>&1; }; then
    python=$(find_python)
    "$python" -m venv --clear .venv || fail "$python could not make $PWD/.venv (see above)."
fi
# Packages that come as source alone are built with the locked setuptools, not with whatever is newest.
install() { .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-build-isolation "$@"; }
install --require-hashes -r requirements/build.txt && install --require-hashes -r requirements/dev.txt ||
    fail "the packages in requirements/dev.txt could not be installed (see above)." \
        "pip needs a package index that it can reach: '.venv/bin/pip config list' shows which one it uses."
install --no-deps -e .
.venv/bin/python -m pip check >/dev/null ||
    fail "requirements/dev.txt does not hold what pyproject.toml asks for: run 'make lock'."

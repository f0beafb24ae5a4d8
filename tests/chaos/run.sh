#!/usr/bin/env bash
# A storm over a whole installation on loopback: tests/chaos/run.sh mixed --jobs 200 --seed 1
# `freeze` freezes workers for longer than their lease and kills nothing; --pair sqlite+files needs no server.
set -euo pipefail
cd "$(dirname "$0")/../.."

if [[ " $* " != *" sqlite+files"* ]] &&
    ! { command -v redis-server && compgen -G "/usr/lib/postgresql/*/bin/initdb"; } >/dev/null; then
    if ((EUID)); then
        echo "redis-server and PostgreSQL are needed (or --pair sqlite+files): apt install redis-server postgresql" >&2
        exit 2
    fi
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends redis-server postgresql
fi
exec "${PYTHON:-.venv/bin/python}" -m tests.chaos "$@"

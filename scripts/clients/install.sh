#!/usr/bin/env bash
# `make clients`: installs what the suite's TestRealClients drives and this machine lacks. From Debian, as root:
# chromium, python3-websockets, and Node with npm where there is no Node; from npm, into .build/clients alone:
# wscat and playwright-core, of the versions and hashes in localstack/suite/testdata/clients/package-lock.json.
set -euo pipefail
cd "$(dirname "$0")/../.."
from=localstack/suite/testdata/clients
to=.build/clients
mkdir -p "$to"

packages=()
command -v npm > /dev/null || packages+=(nodejs npm)
command -v "${CHROMIUM:-chromium}" > /dev/null || packages+=(chromium)
/usr/bin/python3 -c 'import websockets' 2> /dev/null || packages+=(python3-websockets)
if ((${#packages[@]})); then
  if ! command -v apt-get > /dev/null; then
    echo "make clients: install what Debian calls ${packages[*]}, and call it again: there is no apt-get here" >&2
    exit 1
  fi
  if ((EUID)); then
    echo "make clients: installing needs root; call it again after" >&2
    echo "  sudo apt-get install --no-install-recommends ${packages[*]}" >&2
    exit 1
  fi
  echo "▸ install Debian's ${packages[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt=(apt-get -qq -o DPkg::Lock::Timeout=300)
  if ! { "${apt[@]}" update && "${apt[@]}" install -y --no-install-recommends "${packages[@]}"; } > "$to/apt.log" 2>&1; then
    echo "make clients: apt-get failed:" >&2
    tail -n 20 "$to/apt.log" >&2
    exit 1
  fi
fi

if ! node -e 'process.exit(process.versions.node.split(".")[0] >= 18 ? 0 : 1)'; then
  echo "make clients: Node $(node --version) is too old for playwright-core: 18 is needed" >&2
  exit 1
fi
if ! cmp -s "$from/package-lock.json" "$to/package-lock.json" || [[ ! -d $to/node_modules ]]; then
  echo "▸ install wscat and playwright-core into $to"
  # The lock file is the mark that all of it is there, so it goes last.
  rm -rf "$to/package-lock.json" "$to/npm" && mkdir "$to/npm"
  cp "$from"/{package.json,package-lock.json,.npmrc} "$to/npm/"
  (cd "$to/npm" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=warn)
  rm -rf "$to/node_modules"
  mv "$to/npm/node_modules" "$to/npm/package.json" "$to/npm/package-lock.json" "$to/"
  rm -rf "$to/npm"
fi
echo "the clients are here: $("${CHROMIUM:-chromium}" --version 2> /dev/null), wscat and playwright-core in $to, Python's websockets"

#!/usr/bin/env bash
# A whole club to play with on this machine: centre, two terminals, virtual cards, one page that shows all of it.
#   deploy/demo.sh            shows where everything is; Ctrl-C ends all that it started
#   deploy/demo.sh --check    plays the main story without a page; ends with 0 only if the books match
# Further arguments go to the demo: --listen 127.0.0.1:PORT, --members N.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source deploy/lib/packages.sh

if ! command -v cargo > /dev/null; then
  echo "hufu: Rust is missing: install it as https://rustup.rs says, then run this again" >&2
  exit 1
fi

echo "hufu: 1/3 system packages"
hufu_packages build run

echo "hufu: 2/3 building centre, terminal and demo (the first time takes some minutes)"
cargo build --locked -p hufu-central -p hufu-edge -p hufu-tests --bin hufu-central --bin hufu-edge --bin desk --bin demo

echo "hufu: 3/3 starting"
# The smart-card service keeps its socket where only root may write.
as_root=()
if ((EUID != 0)); then
  if ! command -v sudo > /dev/null; then
    echo "hufu: the smart-card service needs root: install sudo, or run this as root" >&2
    exit 1
  fi
  as_root=(sudo)
fi
exec "${as_root[@]}" "${CARGO_TARGET_DIR:-target}/debug/demo" "$@"

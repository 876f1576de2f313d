#!/usr/bin/env bash
# Runs that take too long, or need too much, for every change.
#
#   tests/long.sh screens NAME=URL@WIDTHxHEIGHT ...   pictures of pages, in target/screens (see --help of `screens`)
#   tests/long.sh supply                              package budgets, and advisories and licences where cargo-deny is
#   tests/long.sh kills [--kills N] [--seed S] ...    10,000 SIGKILLs of the real terminal, or N (see --help of `kills`)
#   tests/long.sh soak|simulate|fuzz|storm            not there yet
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source deploy/lib/packages.sh

what=${1:-}
shift || true
case "$what" in
  screens)
    hufu_packages build tests
    cargo run --quiet --locked -p hufu-tests --bin screens -- --out target/screens "$@"
    ;;
  supply)
    hufu_packages build
    cargo test --quiet --locked -p hufu-tests --test it -- tidy_package_budgets tidy_every_dependency
    if cargo deny --version > /dev/null 2>&1 && [[ -f deploy/deny.toml ]]; then
      cargo deny --all-features check --config deploy/deny.toml
    else
      echo "hufu: advisories and licences: not run (needs cargo-deny and deploy/deny.toml)"
    fi
    ;;
  kills)
    hufu_packages build
    cargo build --quiet --locked -p hufu-edge -p hufu-central -p hufu-tests --bins
    cargo run --quiet --locked -p hufu-tests --bin kills -- "$@"
    ;;
  soak | simulate | fuzz | storm)
    echo "hufu: there is no $what run yet" >&2
    exit 2
    ;;
  *)
    awk 'NR > 1 && !/^#/ { exit } NR > 1 { sub(/^# ?/, ""); print }' "${BASH_SOURCE[0]}" >&2
    exit 2
    ;;
esac

#!/usr/bin/env bash
# Runs that take too long, or need too much, for every change.
#
#   tests/long.sh screens NAME=URL@WIDTHxHEIGHT ...   pictures of pages, in target/screens (see --help of `screens`)
#   tests/long.sh supply                              package budgets, and advisories and licences where cargo-deny is
#   tests/long.sh kills [--kills N] [--seed S] ...    10,000 SIGKILLs of the real terminal, or N (see --help of `kills`)
#   tests/long.sh fuzz [SECONDS [TARGET ...]]         fact, batch, receipt, delta, reader, each so long (600)
#   tests/long.sh simulate [--seeds N --seed S ...]     seeds of the simulator over all processors (see --help of `simulate`)
#   tests/long.sh mutants [--seeds N]                   which check notices which known wrong turn of the cores
#   tests/long.sh storm [--facts N] [--devices N] ... a million queued facts from 5,000 terminals (see --help of `storm`)
#   tests/long.sh recall [--guests N]                 how long a guest waits whose points lie at three other terminals
#   tests/long.sh soak                                not there yet
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source deploy/lib/packages.sh

# Builds the targets with the compiler's own coverage counters, which libFuzzer reads: any toolchain with a C++ compiler
# does. What is found worth keeping goes to target/fuzz/corpus, an input that breaks a promise to target/fuzz.
fuzz() {
  local seconds=$1 target
  shift
  local targets=("$@")
  ((${#targets[@]})) || targets=(fact batch receipt delta reader)
  CARGO_TARGET_DIR=target/fuzz RUSTC_WRAPPER="$PWD/tests/fuzz/rustc.sh" \
    cargo build --locked --manifest-path tests/fuzz/Cargo.toml
  for target in "${targets[@]}"; do
    mkdir -p "target/fuzz/corpus/$target"
    echo "hufu: fuzzing $target for $seconds s"
    "target/fuzz/debug/$target" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 -print_final_stats=1 \
      -artifact_prefix="target/fuzz/$target-" "target/fuzz/corpus/$target" "tests/fuzz/corpus/$target"
  done
}

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
  fuzz)
    hufu_packages build
    seconds=${1:-600}
    shift || true
    fuzz "$seconds" "$@"
    ;;
  simulate)
    hufu_packages build
    (($#)) || set -- --seeds 2000
    cargo run --release --quiet --locked -p hufu-tests --bin simulate -- "$@"
    ;;
  mutants)
    hufu_packages build
    cargo run --release --quiet --locked -p hufu-tests --features mutants --bin mutants -- "$@"
    ;;
  storm)
    hufu_packages build tests
    cargo build --quiet --release --locked -p hufu-central -p hufu-tests --bins
    cargo run --quiet --release --locked -p hufu-tests --bin storm -- "$@"
    ;;
  recall)
    hufu_packages build
    cargo build --quiet --locked -p hufu-edge -p hufu-central -p hufu-tests --bins
    cargo run --quiet --locked -p hufu-tests --bin recall -- "$@"
    ;;
  soak)
    echo "hufu: there is no $what run yet" >&2
    exit 2
    ;;
  *)
    awk 'NR > 1 && !/^#/ { exit } NR > 1 { sub(/^# ?/, ""); print }' "${BASH_SOURCE[0]}" >&2
    exit 2
    ;;
esac

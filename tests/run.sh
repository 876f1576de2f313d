#!/usr/bin/env bash
# Runs every quick test: installs what is missing, builds, starts one private PostgreSQL for the whole run.
# Arguments go to the test runner, as in `tests/run.sh -E 'test(kit)'`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source deploy/lib/packages.sh

readonly POSTGRES_START_LIMIT_S=60
scratch=$(mktemp -d)
postgres=
failed=()

finish() {
  local code=$?
  if [[ -n "$postgres" ]]; then
    kill "$postgres" 2> /dev/null || true
    wait "$postgres" 2> /dev/null || true
  fi
  rm -rf "$scratch"
  if ((code)); then
    echo "hufu: FAILED in $SECONDS s: ${failed[*]:-before the tests}" >&2
  fi
}
trap finish EXIT
trap 'exit 130' INT TERM

step() {
  local name=$1
  shift
  echo "hufu: $name"
  "$@" || failed+=("$name")
}

start_postgres() {
  "${CARGO_TARGET_DIR:-target}/debug/private-postgres" > "$scratch/url" &
  postgres=$!
  local end=$((SECONDS + POSTGRES_START_LIMIT_S))
  until [[ -s "$scratch/url" ]]; do
    if ((SECONDS > end)) || ! kill -0 "$postgres" 2> /dev/null; then
      echo "hufu: the private PostgreSQL did not start" >&2
      return 1
    fi
    sleep 0.1
  done
  HUFU_TEST_POSTGRES=$(< "$scratch/url")
  export HUFU_TEST_POSTGRES
}

hufu_packages build run tests
if ! cargo nextest --version > /dev/null 2>&1; then
  echo "hufu: cargo-nextest is missing: it runs each test in a process of its own"
  cargo install --locked cargo-nextest || echo "hufu: it cannot be installed here: cargo test does the work"
fi

echo "hufu: building"
cargo build --workspace --bins --locked
if [[ -z "${HUFU_TEST_POSTGRES:-}" ]]; then
  start_postgres
fi
echo "hufu: PostgreSQL is $HUFU_TEST_POSTGRES"

if cargo nextest --version > /dev/null 2>&1; then
  step "tests" cargo nextest run --workspace --locked --no-fail-fast "$@"
else
  step "tests" cargo test --workspace --locked --lib --bins --tests --no-fail-fast "$@"
fi
step "documentation tests" cargo test --workspace --locked --doc --quiet
step "simulator" "${CARGO_TARGET_DIR:-target}/debug/simulate" --seeds 30 --devices 6 --members 40 --days 1 --any
step "coverage" cargo run --quiet --locked -p hufu-tests --bin coverage

((${#failed[@]} == 0)) || exit 1
echo "hufu: all quick tests passed in $SECONDS s"

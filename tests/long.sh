#!/usr/bin/env bash
# Runs that take too long, or need too much, for every change.
#
#   tests/long.sh screens [--only TEXT] [--quick] [--paint]   every page of the counter in every language, theme and width, asked
#                                                     by axe-core, with how soon it is painted; pictures in target/screens
#   tests/long.sh screens NAME=URL@WIDTHxHEIGHT ...   pictures of pages, in target/screens (see --help of `screens`)
#   tests/long.sh supply                              package budgets, and advisories and licences where cargo-deny is
#   tests/long.sh kills [--kills N] [--seed S] ...    10,000 SIGKILLs of the real terminal, or N (see --help of `kills`)
#   tests/long.sh fuzz [SECONDS [TARGET ...]]         fact, batch, receipt, delta, reader, config, printer, form, each so
#                                                     long (600)
#   tests/long.sh simulate [--seeds N --seed S ...]     seeds of the simulator over all processors (see --help of `simulate`)
#   tests/long.sh mutants [--seeds N]                   which check notices which known wrong turn of the cores
#   tests/long.sh storm [--facts N] [--devices N] ... a million queued facts from 5,000 terminals (see --help of `storm`)
#   tests/long.sh recall [--guests N]                 how long a guest waits whose points lie at three other terminals
#   tests/long.sh api [--examples N --seed S]          schemathesis over the API of a real centre (see --help of `api`)
#   tests/long.sh arm                                 the terminal built for 64-bit ARM boards and run in an emulator
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
  ((${#targets[@]})) || targets=(fact batch receipt delta reader config printer form)
  CARGO_TARGET_DIR=target/fuzz RUSTC_WRAPPER="$PWD/tests/fuzz/rustc.sh" \
    cargo build --locked --manifest-path tests/fuzz/Cargo.toml
  for target in "${targets[@]}"; do
    mkdir -p "target/fuzz/corpus/$target"
    echo "hufu: fuzzing $target for $seconds s"
    "target/fuzz/debug/$target" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 -print_final_stats=1 \
      -artifact_prefix="target/fuzz/$target-" "target/fuzz/corpus/$target" "tests/fuzz/corpus/$target"
  done
}

# Whether programs can be built for ARM boards and run here; says what is missing. The smart-card library of those boards
# is only unpacked beside the build: this machine's own packages are left alone.
arm_can_run() {
  local state=$1/apt package
  local apt=(-qq -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o Dir::State::status=/dev/null
    -o "Dir::State::Lists=$state/lists" -o "Dir::Cache=$state/cache" -o APT::Sandbox::User=root)
  hufu_packages build arm || return 1
  if ! rustup target add aarch64-unknown-linux-gnu; then
    echo "hufu: the compiler's library for aarch64-unknown-linux-gnu cannot be had" >&2
    return 1
  fi
  [[ -e "$1/usr/lib/aarch64-linux-gnu/libpcsclite.so" ]] && return 0
  mkdir -p "$state/lists/partial" "$state/cache/archives/partial"
  if ! (apt-get "${apt[@]}" update && cd "$state" && apt-get "${apt[@]}" download libpcsclite1 libpcsclite-dev); then
    echo "hufu: the smart-card library for ARM cannot be had" >&2
    return 1
  fi
  for package in "$state"/*.deb; do
    dpkg-deb -x "$package" "$1"
  done
}

arm() {
  local target=aarch64-unknown-linux-gnu sysroot=$PWD/target/arm
  mkdir -p "$sysroot"
  if ! arm_can_run "$sysroot"; then
    echo "hufu: the ARM run was skipped, see above for what is missing"
    return 0
  fi
  local libraries=$sysroot/usr/lib/aarch64-linux-gnu
  local emulator=(qemu-aarch64 -L /usr/aarch64-linux-gnu -E "LD_LIBRARY_PATH=$libraries" -E "LD_PRELOAD=$sysroot/ioctl.so")
  aarch64-linux-gnu-gcc -O1 -Wall -Wextra -shared -fPIC -o "$sysroot/ioctl.so" tests/src/arm/ioctl.c
  export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc CC_aarch64_unknown_linux_gnu=aarch64-linux-gnu-gcc
  export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER="${emulator[*]}"
  # For the board only: the centre that it talks to is this machine's.
  export PKG_CONFIG_ALLOW_CROSS_aarch64_unknown_linux_gnu=1 PKG_CONFIG_SYSROOT_DIR_aarch64_unknown_linux_gnu=$sysroot
  export PKG_CONFIG_PATH_aarch64_unknown_linux_gnu=$libraries/pkgconfig
  cargo build --quiet --locked --target "$target" -p hufu-edge --bin hufu-edge
  file -b "target/$target/debug/hufu-edge" 2> /dev/null || true
  echo "hufu: displays, signals, printers and serial lines as ARM code: buses and ptys are read back"
  # Two tests make a line raw by a call of their own that the emulator lacks.
  cargo test --quiet --locked --target "$target" -p hufu-hardware --lib -- panel:: signal:: printer:: serial:: \
    --skip a_megabyte_of_rubbish --skip one_that_takes_nothing --test-threads=2
  printf '#!/bin/sh\nexec %s "%s" "$@"\n' "${emulator[*]}" "$PWD/target/$target/debug/hufu-edge" > "$sysroot/hufu-edge"
  chmod +x "$sysroot/hufu-edge"
  cargo build --quiet --locked -p hufu-central -p hufu-tests --bin hufu-central --bin arm
  cargo run --quiet --locked -p hufu-tests --bin arm -- --edge "$sysroot/hufu-edge"
}

# Schemathesis lies in an environment of its own below target, of a version that is known to run: one that was installed
# there before is used again.
api() {
  local version=4.32.5 place=$PWD/target/schemathesis
  hufu_packages build api
  if [[ ! -x "$place/bin/schemathesis" || $(< "$place/version") != "$version" ]]; then
    echo "hufu: installing schemathesis $version in target/schemathesis"
    rm -rf "$place"
    python3 -m venv "$place"
    "$place/bin/pip" install --quiet --disable-pip-version-check "schemathesis==$version"
    echo "$version" > "$place/version"
  fi
  cargo build --quiet --locked -p hufu-central -p hufu-tests --bin hufu-central --bin api
  cargo run --quiet --locked -p hufu-tests --bin api -- --schemathesis "$place/bin/schemathesis" "$@"
}

what=${1:-}
shift || true
case "$what" in
  screens)
    hufu_packages build tests
    if [[ ${1:-} == *=* || ${1:-} == --sign-in || ${1:-} == --language ]]; then
      cargo run --quiet --locked -p hufu-tests --bin screens -- --out target/screens "$@"
    else
      cargo run --quiet --locked -p hufu-tests --bin counter-pages -- --out target/screens/counter "$@"
    fi
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
    cargo build --quiet --release --locked -p hufu-central -p hufu-tests --bin hufu-central --bin storm
    cargo run --quiet --release --locked -p hufu-tests --bin storm -- "$@"
    ;;
  recall)
    hufu_packages build
    cargo build --quiet --locked -p hufu-edge -p hufu-central -p hufu-tests --bins
    cargo run --quiet --locked -p hufu-tests --bin recall -- "$@"
    ;;
  api)
    api "$@"
    ;;
  arm)
    arm
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

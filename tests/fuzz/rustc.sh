#!/usr/bin/env bash
# Stands before rustc: gives Hufu's own crates and the encoding the coverage counters that libFuzzer reads. What else
# they stand on stays as it is, so that its code is not explored, and is built sooner.
set -euo pipefail
case " $* " in
  *" --crate-name hufu_"* | *" --crate-name minicbor "*)
    set -- "$@" -Cpasses=sancov-module
    for pass in level=4 inline-8bit-counters pc-table trace-compares; do
      set -- "$@" "-Cllvm-args=-sanitizer-coverage-$pass"
    done
    ;;
esac
exec "$@"

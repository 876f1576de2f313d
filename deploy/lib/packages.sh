# Installs the Debian packages that a part of Hufu needs, saying which and why. Sourced by the commands.
#
#   hufu_packages build run tests
#
# A package is wanted only when the file that it brings is missing, so a machine that has it from elsewhere is left
# alone. Services stay off: Hufu starts what it needs itself, in the foreground and by its own process id.

# group|package|a file or glob that shows it is there|why
hufu_package_table='
build|gcc|/usr/bin/cc|compiles SQLite and the C parts of the crypto library
build|libc6-dev|/usr/include/stdio.h|headers for the C parts
build|pkg-config|/usr/bin/pkg-config|finds the smart-card library
build|libpcsclite-dev|/usr/include/PCSC/winscard.h|smart-card readers (PC/SC)
run|pcscd|/usr/sbin/pcscd|the smart-card service
run|vsmartcard-vpcd|/usr/lib/pcsc/drivers/serial/libifdvpcd.so|virtual readers where no real one is attached
run|util-linux|/usr/bin/unshare|keeps a private smart-card service apart from the machine'"'"'s own
tests|postgresql|/usr/lib/postgresql/*/bin/postgres|every store test also runs on a private PostgreSQL
tests|chromium|/usr/bin/chromium|pages are tested in a real browser
tests|chromium-driver|/usr/bin/chromedriver|drives the browser
tests|fonts-noto-cjk|/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc|Chinese in the browser'"'"'s pictures
api|python3-venv|/usr/lib/python3*/ensurepip/__init__.py|schemathesis, which asks the API everything, lives in an environment of its own
arm|gcc-aarch64-linux-gnu|/usr/bin/aarch64-linux-gnu-gcc|links the terminal for small ARM boards
arm|libc6-dev-arm64-cross|/usr/aarch64-linux-gnu/include/stdio.h|headers and libraries of those boards
arm|qemu-user|/usr/bin/qemu-aarch64|runs their programs on this machine
'

# Whether any file matches the pattern.
hufu_is_there() {
  compgen -G "$1" > /dev/null
}

# hufu_packages GROUP...: installs what is missing of these groups.
hufu_packages() {
  local group package file why missing=()
  while IFS='|' read -r group package file why; do
    [[ -n "$group" && " $* " == *" $group "* ]] || continue
    if ! hufu_is_there "$file"; then
      echo "hufu: needs $package: $why"
      missing+=("$package")
    fi
  done <<< "$hufu_package_table"
  ((${#missing[@]})) || return 0

  local as_root=()
  if ((EUID != 0)); then
    if ! command -v sudo > /dev/null; then
      echo "hufu: missing ${missing[*]}; run as root: apt-get install ${missing[*]}" >&2
      return 1
    fi
    as_root=(sudo)
  fi
  if ! command -v apt-get > /dev/null; then
    echo "hufu: missing ${missing[*]}, and this is not Debian: install what they bring by hand" >&2
    return 1
  fi
  # RUNLEVEL=1 keeps the packages from starting their services.
  local apt=("${as_root[@]}" env RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -qq)
  echo "hufu: installing ${missing[*]}"
  local log
  log=$(mktemp)
  if ! { "${apt[@]}" update && "${apt[@]}" install -y --no-install-recommends "${missing[@]}"; } > "$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "hufu: failed to install ${missing[*]}; the whole output is in $log" >&2
    return 1
  fi
  rm -f "$log"
}

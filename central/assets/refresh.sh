#!/usr/bin/env bash
# Fetches what the console takes from others, as `assets.lock` names it, into `vendor/`, and writes the lock anew: to
# take a newer version, change it in the lock and run this. Needs npm.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

lock="$scratch/lock"
sed -n '/^#/p;/^\[/q' assets.lock > "$lock"
while IFS='|' read -r folder package version licence files; do
  npm pack --silent --pack-destination "$scratch" "$package@$version" > "$scratch/name"
  archive="$scratch/$(tail -n 1 "$scratch/name")"
  mkdir -p "$scratch/$folder" "vendor/$folder"
  tar xzf "$archive" -C "$scratch/$folder" --strip-components=1
  {
    printf '\n[%s]\n' "$folder"
    printf 'package = "%s"\nversion = "%s"\nlicence = "%s"\n' "$package" "$version" "$licence"
    printf 'integrity = "sha512-%s"\n' "$(openssl dgst -sha512 -binary "$archive" | base64 -w 0)"
    printf 'from = "%s"\n' "$files"
    printf '\n[%s.sha256]\n' "$folder"
  } >> "$lock"
  for file in $files; do
    install -m 644 "$scratch/$folder/$file" "vendor/$folder/$(basename "$file")"
    printf '"%s" = "%s"\n' "$(basename "$file")" "$(sha256sum < "vendor/$folder/$(basename "$file")" | cut -d' ' -f1)" >> "$lock"
  done
done < <(python3 - << 'PY'
import tomllib
with open("assets.lock", "rb") as lock:
    for folder, said in tomllib.load(lock).items():
        print("|".join([folder, said["package"], said["version"], said["licence"], said["from"]]))
PY
)
install -m 644 "$lock" assets.lock

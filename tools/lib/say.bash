# What every tool says and how it stops. Sourced.
# shellcheck shell=bash

# The name of the tool that runs, for its messages.
TOOL=$(basename "$0")

say() { printf '%s: %s\n' "$TOOL" "$*" >&2; }

die() {
  say "$@"
  exit 1
}

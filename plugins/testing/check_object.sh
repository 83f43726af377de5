#!/bin/sh
# What Slurm loads must show Slurm's entry points and nothing else, need nothing but the C library,
# and take from Slurm only what is listed here.  check_object.sh OBJECT
set -u
object=$1
failed=0

expect() { # WHAT EXPECTED FOUND
  [ "$2" = "$3" ] && return
  printf '%s of %s\n  expected: %s\n  found:    %s\n' "$1" "$object" "$2" "$3"
  failed=1
}

one_line() { LC_ALL=C sort | tr '\n' ' ' | sed 's/ $//'; }

expect exports \
  'fini init job_modify job_submit plugin_name plugin_type plugin_version slurm_spank_init' \
  "$(nm -D --defined-only "$object" | awk '{print $3}' | one_line)"
expect imports \
  'slurm_debug slurm_error slurm_info slurm_xfree slurm_xstrdup spank_option_register' \
  "$(nm -D --undefined-only "$object" | awk '$1 == "U" && $2 !~ /@GLIBC/ {print $2}' | one_line)"
expect libraries '[libc.so.6]' \
  "$(readelf -d "$object" | awk '/NEEDED/ {print $NF}' | one_line)"
readelf -d "$object" | grep -q 'BIND_NOW' || { echo "$object is not bound at load"; failed=1; }
readelf -lW "$object" | grep -q 'GNU_RELRO' || { echo "$object has no RELRO"; failed=1; }
readelf -lW "$object" | grep 'GNU_STACK' | grep -q 'RWE' && { echo "$object: executable stack"; failed=1; }
exit $failed

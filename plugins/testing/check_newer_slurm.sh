#!/bin/sh
# The plugin's sources against the headers of newer versions of Slurm: compiled, nothing else.
#   check_newer_slurm.sh COMPILER SOURCE_DIR [INCLUDE_DIR...]
# Each INCLUDE_DIR is a folder with slurm/slurm.h of some version. Without one, the installed headers are used,
# changed as newer versions changed them in what the plugin looks at:
#   23.02  job_modify has a fourth argument (in slurm_abi.h, by the version)
#   25.11  job_desc_msg_t has a step_id, with a job_id in it, in place of job_id; slurm_step_id_t begins with a sluid
set -eu
compiler=$1
source=$2
shift 2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

installed=$(echo '#include <slurm/slurm.h>' | "$compiler" -E -x c++ - | sed -n 's/^# 1 "\(.*\)\/slurm\/slurm\.h".*/\1/p' | head -n 1)

headers_as() { # VERSION NUMBER
  mkdir -p "$work/$1/slurm"
  cp "$installed"/slurm/*.h "$work/$1/slurm"
  sed -i "s/^#define SLURM_VERSION_NUMBER .*/#define SLURM_VERSION_NUMBER $2/" "$work/$1/slurm/slurm_version.h"
}

if [ $# = 0 ]; then
  headers_as 23.02 0x170200
  headers_as 25.11 0x190b00
  sed -i '/^typedef struct job_descriptor {/,/^}/s/^\tuint32_t job_id;.*/\tstruct { uint32_t job_id; } step_id;/' "$work/25.11/slurm/slurm.h"
  sed -i '/^typedef struct slurm_step_id_msg {/s/$/ uint64_t sluid;/' "$work/25.11/slurm/slurm.h"
  set -- "$work/23.02" "$work/25.11"
fi

for include in "$@"; do
  for file in "$source"/*.cc; do
    case $file in *_test.cc) continue ;; esac
    grep -q 'slurm_abi\.h\|submission\.h\|gate\.h\|options\.h\|change\.h' "$file" || continue
    "$compiler" -std=c++20 -fsyntax-only -fno-exceptions -fno-rtti -Wall -Wextra -Wshadow -Wconversion -Werror \
      -isystem "$include" -I"$source/.." "$file" || {
      echo "$file does not compile against $include" >&2
      exit 1
    }
  done
done

# What the tests on the bed share: load it with `load helpers`.
#
#   setup_file() { bed_up; }      teardown_file() { bed_down; }
#
# A file gets a bed of its own (about 7 s), or the one that ASBB_TEST_BED names, which is then left
# running: quick while writing a test.
# shellcheck shell=bash

SLURM_TESTS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=lib/service.bash
. "$SLURM_TESTS/lib/service.bash"

# bed_up [OPTION...]: options of `bed up`. Not below bats' own folder: other users must reach it.
bed_up() {
  local folder=${ASBB_TEST_BED:-}
  [ -n "$folder" ] || folder=$(mktemp -d "${TMPDIR:-/tmp}/asbb-bed.XXXXXX")
  BED_QUIET=1 "$SLURM_TESTS/bed" up "$folder" "$@" || return 1
  bed_environment "$folder"
}

bed_environment() {
  eval "$("$SLURM_TESTS/bed" env "$1")"
  export TZ=UTC
  cd "$BED" || return 1
}

bed_down() {
  [ -n "${BED:-}" ] || return 0
  cd / || return 1
  [ -n "${ASBB_TEST_BED:-}" ] || "$SLURM_TESTS/bed" down "$BED" --wipe
}

onprem() { SLURM_CONF=$BED_ONPREM_CONF "$@"; }
cloud() { SLURM_CONF=$BED_CLOUD_CONF "$@"; }

# wait_until SECONDS COMMAND...
wait_until() {
  local seconds=$1 end
  shift
  end=$((SECONDS + seconds))
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $end ] || {
      echo "not within $seconds s: $*" >&2
      return 1
    }
    sleep 0.1
  done
}

# as_user NAME COMMAND...: needs root.
as_user() {
  local user=$1
  shift
  runuser -u "$user" -- "$@"
}

# run_sbatch OPTION...: submits on the cluster of SLURM_CONF and prints the job id; without
# --wrap the job is `true`. What sbatch says on refusal is in $output under bats' `run`.
run_sbatch() {
  local option script=(--wrap true)
  for option in "$@"; do
    case $option in --wrap | --wrap=*) script=() ;; esac
  done
  local said
  said=$(sbatch --parsable -o /dev/null "$@" "${script[@]}") || return
  echo "${said%%;*}"
}

# job_state JOB [CLUSTER]: as slurmctld says; empty when it has forgotten the job.
job_state() { "${2:-onprem}" squeue -a -t all --local -h -j "$1" -o %T 2>/dev/null | sort -u; }

job_is() {
  case " $3 " in *" $(job_state "$1" "$2") "*) ;; *) return 1 ;; esac
}

# wait_for_job JOB STATES [CLUSTER] [SECONDS]: until it is in one of the states, "COMPLETED FAILED".
wait_for_job() {
  wait_until "${4:-60}" job_is "$1" "${3:-onprem}" "$2" || {
    echo "job $1 is '$(job_state "$1" "${3:-onprem}")', not $2" >&2
    onprem scontrol --local show job "$1" >&2
    return 1
  }
}

# accounting JOB COLUMNS [CLUSTER]: rows of slurmdbd, one a run, fields separated by |.
accounting() { sacct -M "${3:-onprem}" -a -D -X -P -n -j "$1" --format="$2"; }

accounting_is() { [ "$(accounting "$1" "$2" "$3")" = "$4" ]; }

# wait_for_accounting JOB COLUMNS EXPECTED [CLUSTER]: slurmdbd hears of a job's end a moment later.
wait_for_accounting() {
  wait_until 20 accounting_is "$1" "$2" "${4:-onprem}" "$3" || {
    echo "sacct says '$(accounting "$1" "$2" "${4:-onprem}")', not '$3'" >&2
    return 1
  }
}

node_state() { onprem scontrol -o show node "$1" | sed -n 's/.* State=\([^ ]*\) .*/\1/p'; }

# Where asbb and the plugin were built: the sanitized build unless said otherwise.
programs_folder() { echo "${ASBB_BUILD_DIR:-$(cd "$SLURM_TESTS/../.." && pwd)/build/dev}"; }

# A bed with the plugin, a budget service, prices and two accounts with money. GATE is the service's folder.
# The programs are sanitized and the machine may be busy: the plugin is more patient than the 50 ms of real life.
gate_up() {
  local year programs bed_options
  programs=$(programs_folder)
  read -ra bed_options <<<"${GATE_BED_OPTIONS:-}"
  bed_up "${bed_options[@]}" --plugin "$programs/lib/slurm/job_submit_budget.so" \
    --plugstack "budget_service_url=http://localhost:@PORT@ socket=@SOCKET@ ${GATE_PLUGIN_ARGUMENTS:-timeout_ms=1000}" ||
    return 1
  export PATH=$programs/bin:$PATH GATE=$BED/asbb
  [ -z "${GATE_DISK_MB:-}" ] || mount_disk "$GATE" || return 1
  service_start "$GATE" || return 1
  year=$(date -u +%Y)
  asbb prices import "$SLURM_TESTS/../../examples/demo/prices.yaml"
  asbb account create --name=proj001 --budget=500 --start="$year-01-01" --end="$year-12-31"
  asbb account create --name=nih-r01 --budget=100 --start="$year-01-01" --end="$year-12-31"
  service_knows_clusters
}

# mount_disk FOLDER: of GATE_DISK_MB megabytes; needs root.
mount_disk() { mkdir -p "$1" && mount -t tmpfs -o "size=${GATE_DISK_MB}m" tmpfs "$1"; }

# two_passes JOB: the service looks at all jobs, twice.
two_passes() {
  local _
  for _ in 1 2; do asbb reconcile "$1" --cluster=onprem >/dev/null || return 1; done
}

# What a failed test leaves behind: a run elsewhere says nothing else of it.
explain_failure() {
  [ -z "${BATS_TEST_COMPLETED:-}" ] && [ -n "${GATE:-}" ] || return 0
  local cluster
  for cluster in onprem cloud; do
    echo "--- the jobs of $cluster, then their runs"
    "$cluster" squeue --local -a -t all -h -o '%i %a %P %T %r %S %N'
    sacct -M "$cluster" -a -D -X -P -n -o JobID,Account,Partition,State,Submit,Start,End,AllocTRES,NodeList,Comment
  done | tail -n 40
  echo "--- the service"
  asbb service status
  asbb transactions --limit=25
  tail -n 25 "$GATE/service.log"
} 2>&1
teardown() { explain_failure; }

gate_down() {
  if [ -n "${GATE:-}" ]; then
    service_stop "$GATE"
    [ -z "${GATE_DISK_MB:-}" ] || umount --lazy "$GATE"
    rm -rf "$GATE"
  fi
  bed_down
}

#!/usr/bin/env bats
# A controller that gives job ids out again, after it lost its state: the same id is another job.

load helpers

setup_file() { GATE_BED_OPTIONS='--clusters independent' gate_up; }
teardown_file() { gate_down; }
teardown() { explain_failure; }

held_is() { [ "$(balance proj001 held)" = "$1" ]; }
of_job() { asbb transactions proj001 --job="$1" --type="$2" --all --output json | jq "${3:-length}"; }
entries_are() { [ "$(of_job "$1" "$2")" = "$3" ]; }

@test "the id of a job that was charged comes again, and its next bearer is charged by itself" {
  first=$(run_sbatch -A proj001 -p cpu -t 10 --mem=1024 --wrap 'sleep 2')
  wait_for_job "$first" COMPLETED
  wait_until 30 entries_are "$first" charge 1
  lost=$(run_sbatch -H -A proj001 -p cpu -t 30 --mem=1024)
  wait_until 30 entries_are "$lost" bind 1
  held=$(balance proj001 held)
  "$SLURM_TESTS/bed" stop-controllers "$BED" onprem
  rm -rf "$BED"/state/onprem/job_state* "$BED"/state/onprem/hash.*
  "$SLURM_TESTS/bed" start-controllers "$BED" onprem
  second=$(run_sbatch -A proj001 -p cpu -t 10 --mem=1024 --wrap 'sleep 3')
  [ "$second" = "$first" ]
  wait_for_job "$second" COMPLETED
  wait_until 60 entries_are "$first" charge 2
  # The hold of the lost job is nobody else's. It stays, unless slurmdbd says that the job was cancelled: a controller without state
  # may say so when it registers.
  if onprem sacct -n -X -D -j "$lost" --format=State%20 | grep -q CANCELLED; then
    wait_until 60 held_is 0
    held=0
  fi
  held_is "$held"
  third=$(run_sbatch -H -A proj001 -p cpu -t 10 --mem=1024)
  [ "$third" = "$lost" ]
  wait_until 30 entries_are "$lost" bind 2
  onprem scancel "$third"
  wait_until 60 held_is "$held"
  [ "$held" = 0 ] || asbb reconcile "$lost" --cluster=onprem --actual-cost=0 --reason='slurmctld lost it'
  wait_until 30 held_is 0
  sum=$(sacct -M onprem -D -X -P -n -a -j "$first" --format=ElapsedRaw | awk '{ s += sprintf("%.0f", $1 * 42000 / 3600) } END { print s }')
  [ "$(of_job "$first" charge 'map(.amount * 1000000 | round) | add')" = "$sum" ]
  asbb audit verify
}

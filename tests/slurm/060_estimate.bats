#!/usr/bin/env bats
# Estimates against real Slurm: random requests on nodes of every kind. None may cost more than its estimate, and `asbb
# quote` says of each what was then held for it.
#
#   ESTIMATE_COUNT=500 ESTIMATE_SEED=7 bats tests/slurm/060_estimate.bats    a longer run, other requests

load helpers

setup_file() {
  local programs year
  programs=$(programs_folder)
  bed_up --profile mixed --plugin "$programs/lib/slurm/job_submit_budget.so" \
    --plugstack "budget_service_url=http://localhost:@PORT@ socket=@SOCKET@ timeout_ms=1000"
  export PATH=$programs/bin:$PATH GATE=$BED/asbb
  service_start "$GATE"
  year=$(date -u +%Y)
  asbb prices import "$SLURM_TESTS/lib/mixed-prices.yaml"
  asbb account create --name=proj001 --budget=100000000 --start="$year-01-01" --end="$year-12-31"
  wait_until 30 grep -q '^partition mix deny' "$BED_RUN/policy.onprem"
}

teardown_file() { gate_down; }

@test "no random request is given more than was estimated for it, and each quote is its hold" {
  run "$SLURM_TESTS/random_requests" --prices "$SLURM_TESTS/lib/mixed-prices.yaml" --quotes \
    --count "${ESTIMATE_COUNT:-80}" --seed "${ESTIMATE_SEED:-20250101}" \
    --wait "${ESTIMATE_WAIT:-45}" --requests "$BED/requests.json"
  echo "$output"
  [ "$status" = 0 ]
  [[ $output == *" covered"* ]]
}

# charged_for JOB: the sum of its charges.
charged_for() {
  asbb transactions proj001 --job="$1" --limit=100 --output json | jq -r '[.[] | select(.type == "charge") | .amount] | add'
}

@test "a node costs what its instance type does, before and after" {
  run asbb quote -- -A proj001 -p mix-type -N 2 -t 60
  echo "$output"
  [[ $output == *"the nodes may be fat, ht, milan, of another type: the dearest count; --constraint names one"* ]]
  [[ $output == *"an hour: 2 nodes milan x 3.00 USD"* ]]
  run asbb quote -- -A proj001 -p mix-type -N 1 -t 60 -C fat
  [[ $output == *"an hour: 1 node fat x 2.00 USD"* ]]
  # an hour of each: 0.50 + 3.00 + 0.75
  job=$(run_sbatch -A proj001 -p mix-type -N 3 -t 60 --nodelist=ht-1,dual-1,cpu-1 --wrap 'sleep 1')
  wait_for_job "$job" COMPLETED
  charged() { [ "$(charged_for "$job")" != null ]; }
  wait_until 30 charged
  seconds=$(accounting "$job" ElapsedRaw)
  expected=$(awk -v s="$seconds" 'BEGIN { printf "%.6f", 4.25 * s / 3600 }')
  awk -v have="$(charged_for "$job")" -v want="$expected" 'BEGIN { d = have - want; exit !(d < 0.000002 && d > -0.000002) }'
}

@test "a quote of a whole job script, of what is refused, and of what would fit" {
  printf '%s\n' '#!/bin/sh' '#SBATCH --partition=mix-cpu --ntasks=2' '#SBATCH --time=1:00:00' 'true' >"$BED/job.sh"
  run asbb quote -- "$BED/job.sh"
  echo "$output"
  [ "$status" = 0 ]
  [[ $output == *"This job would hold"*"of account proj001"* ]]
  [[ $output == *"time limit 01:00:00"* ]]
  held=$(sbatch -o /dev/null --begin=now+1hour "$BED/job.sh" 2>&1 | sed -n 's/.* held \([^ ]*\) of account.*/\1/p')
  [ -n "$held" ]
  [[ $output == *"would hold $held of account"* ]]
  asbb account create --name=nih-r01 --budget=1 --start="$(date -u +%Y)-01-01" --end="$(date -u +%Y)-12-31"
  run asbb quote -- --account=nih-r01 "$BED/job.sh"
  echo "$output"
  [ "$status" = 3 ]
  [[ $output == *"What would fit:"*"--time="* ]]
  [[ $output == *"--partition=quiet, which costs nothing"* || $output == *"--partition=cpu, which costs nothing"* ]]
}

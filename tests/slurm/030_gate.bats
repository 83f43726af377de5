#!/usr/bin/env bats
# The gate and the settlement on real Slurm: fifty mixed jobs end with the ledger equal to sacct, to the millionth.

load helpers

setup_file() { gate_up; }
teardown_file() { gate_down; }

nothing_held() { [ "$(balance proj001 held)" = 0 ] && [ "$(balance nih-r01 held)" = 0 ]; }

released_entries() {
  asbb transactions proj001 --limit=10000 --output json | jq '[.[] | select(.type == "release")] | length'
}

# Recomputes every charge with a program that shares no code with asbb.
ledger_is_sacct() {
  sacct -M onprem,cloud -D -X -P -n --noconvert -a -S now-1day -A proj001,nih-r01 \
    --format=Cluster,JobID,Partition,State,ElapsedRaw,Start,AllocTRES,NodeList >"$GATE/sacct.txt"
  local account
  for account in proj001 nih-r01; do
    asbb transactions "$account" --limit=10000 --output json >"$GATE/$account.json"
  done
  "$SLURM_TESTS/verify_charges" "$SLURM_TESTS/../../examples/demo/prices.yaml" "$GATE/sacct.txt" \
    "$GATE/proj001.json" "$GATE/nih-r01.json"
}

@test "a job of an unpriced partition needs no hold" {
  job=$(run_sbatch -A proj001 -p quiet)
  [ "$(balance proj001 held)" = 0 ]
  wait_for_job "$job" COMPLETED
}

@test "fifty mixed jobs are charged what sacct says, and nothing stays held" {
  cancelled=()
  for i in 1 2 3 4 5 6 7 8; do
    run_sbatch -A proj001 -p cpu -n 2 -t 5 --wrap "sleep $((i % 3))"
    run_sbatch -A nih-r01 -p cpu -t 3 --mem=500 --wrap "exit $i"
    run_sbatch -A proj001 -p cpu -t 1 --wrap false
    cancelled+=("$(run_sbatch -A proj001 -p cpu -t 10 --begin=now+1hour)")
    run_sbatch -A proj001 -p aws-cpu -M cloud -c 2 -t 4
  done
  array=$(run_sbatch -A proj001 -p cpu -t 2 --array=0-9%4 --wrap 'sleep 1')
  late=$(run_sbatch -A proj001 -p cpu -t 1 --wrap 'sleep 300')
  for i in 1 2 3 4; do
    running+=("$(run_sbatch -A nih-r01 -p big -t 20 -n 4 --wrap 'sleep 300')")
  done
  for i in 1 2 3; do
    run_sbatch -A proj001 -p gpu-aws -N 1 --gres=gpu:a100:1 -t 5
  done
  [ "$(balance proj001 held)" != 0 ]
  scancel "${cancelled[@]}"
  for job in "${running[@]}"; do
    wait_for_job "$job" RUNNING
  done
  scancel "${running[@]}"
  scontrol update "JobId=$late" TimeLimit=1
  wait_for_job "$late" TIMEOUT onprem 150
  wait_until 60 nothing_held
  [ "$(asbb transactions proj001 --job="$array" --type=charge --output json | jq length)" = 10 ]
  run ledger_is_sacct
  echo "$output"
  [ "$status" = 0 ]
  # Those cancelled before they were eligible are not in sacct; the others are fifty.
  [ "${output%% jobs*}" -ge 50 ]
  run asbb audit verify
  echo "$output"
  [ "$status" = 0 ]
}

@test "salloc and srun are held and charged as sbatch is, and their steps hold nothing" {
  asbb account create --name=steps --budget=10 --start="$(date -u +%Y)-01-01" --end="$(date -u +%Y)-12-31"
  sacctmgr -i add account steps cluster=onprem >/dev/null
  sacctmgr -i add user "$(id -un)" account=steps cluster=onprem >/dev/null
  wait_until 20 salloc -A steps -p cpu -t 2 bash -c 'srun sleep 1; srun sleep 1'
  srun -A steps -p cpu -t 2 sleep 1
  done_with() { [ "$(asbb transactions steps --type=charge --output json | jq length)" = 2 ]; }
  wait_until 30 done_with
  [ "$(asbb transactions steps --type=hold --output json | jq length)" = 2 ]
  [ "$(balance steps held)" = 0 ]
  for job in $(asbb transactions steps --type=charge --output json | jq -r '.[].job_id'); do
    wait_for_accounting "$job" State COMPLETED
  done
}

@test "what the budget cannot pay is refused with the figures and what would fit" {
  run run_sbatch -A proj001 -p big --exclusive -t 7-00:00:00
  [ "$status" != 0 ]
  [[ $output == *"this job may cost"* ]]
  [[ $output == *"available"* ]]
  [[ $output == *"--time="* ]]
}

@test "--test-only and refused submissions leave no hold for good" {
  run sbatch --test-only -A proj001 -p cpu -t 5 --wrap true
  [ "$status" = 0 ]
  run run_sbatch -A proj001 -p cpu -t 5 --nodelist=no-such-node
  [ "$status" != 0 ]
  wait_until 120 nothing_held
}

# 60 s and more is what a hold without a job is given otherwise.
@test "a refused component of a het job gives the others' money back at once" {
  nothing_held
  before=$(released_entries)
  run run_sbatch -A proj001 -p cpu -t 5 : -A proj001 -p big --exclusive -t 7-00:00:00
  [ "$status" != 0 ]
  [[ $output == *"this job may cost"* ]]
  wait_until 20 nothing_held
  [ "$(released_entries)" -gt "$before" ]
}

@test "a user without an association learns nothing" {
  stranger=() account=proj001
  if [ "$(id -u)" = 0 ]; then
    stranger=(as_user games)
  else
    account=proj002 # nobody but root may use it
    asbb account create --name=proj002 --budget=100 --start="$(date -u +%Y)-01-01" --end="$(date -u +%Y)-12-31"
  fi
  run "${stranger[@]}" sbatch -o /dev/null -A "$account" -p cpu -t 5 --wrap true
  [ "$status" != 0 ]
  mine=$output
  [[ $mine != *"available in"* ]]
  run "${stranger[@]}" sbatch -o /dev/null -A no-such-account -p cpu -t 5 --wrap true
  [ "${mine//$account/X}" = "${output//no-such-account/X}" ]
}

@test "jobs let through while the service is stopped are found and charged once" {
  service_stop "$GATE"
  sed -i 's/^default_partition/# default_partition/; s/^partition cpu deny/partition cpu allow/' "$BED_RUN/policy.onprem"
  sleep 2
  job=$(run_sbatch -A proj001 -p cpu -t 5 --wrap 'sleep 1')
  wait_for_job "$job" COMPLETED
  timeout 5 sinfo >/dev/null
  service_run "$GATE"
  charged_once() { [ "$(asbb transactions proj001 --job="$job" --output json | jq '[.[] | select(.type == "overrun")] | length')" = 1 ]; }
  wait_until 90 charged_once
  sleep 9
  charged_once
  run ledger_is_sacct
  echo "$output"
  [ "$status" = 0 ]
}

@test "an acknowledged hold survives kill -9 of the service" {
  job=$(run_sbatch -A proj001 -p cpu -t 5 --begin=now+1hour)
  held=$(balance proj001 held)
  [ "$held" != 0 ]
  kill -9 "$(cat "$GATE/service.pid")"
  service_run "$GATE"
  [ "$(balance proj001 held)" = "$held" ]
  scancel "$job"
  wait_until 60 nothing_held
  run asbb audit verify
  [ "$status" = 0 ]
}

@test "every answer of the running service keeps the contract" {
  run /usr/bin/python3 "$SLURM_TESTS/../api/contract.py" --socket "$BED_SERVICE_SOCKET" --write --cluster onprem --partition cpu
  echo "$output"
  [ "$status" = 0 ]
}

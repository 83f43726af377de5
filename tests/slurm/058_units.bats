#!/usr/bin/env bats
# A federation of which one cluster is counted in core-hours and the other in dollars.

load helpers

setup_file() {
  local programs year
  programs=$(programs_folder)
  bed_up --plugin "$programs/lib/slurm/job_submit_budget.so" \
    --plugstack "budget_service_url=http://localhost:@PORT@ socket=@SOCKET@ timeout_ms=1000"
  export PATH=$programs/bin:$PATH GATE=$BED/asbb
  service_start "$GATE"
  year=$(date -u +%Y)
  cat >"$GATE/prices.yaml" <<'END'
effective_from: 2025-01-01
prices:
  - {cluster: onprem, partition: cpu, unit: core-hours, basis: tres, per_core_hour: 1}
  - {cluster: onprem, partition: big, unit: gpu-hours, basis: tres, per_gpu_hour: {v100: 1}}
  - {cluster: cloud, partition: aws-cpu, unit: USD, basis: tres, per_core_hour: 0.085}
END
  asbb prices import "$GATE/prices.yaml"
  asbb account create --name=proj001 --budget=100 --start="$year-01-01" --end="$year-12-31"
  asbb account update proj001 --unit=core-hours --budget=100 --start="$year-01-01" --end="$year-12-31"
  asbb account create --name=nih-r01 --budget=100 --start="$year-01-01" --end="$year-12-31"
  wait_until 30 grep -q '^partition cpu deny' "$BED_RUN/policy.onprem"
  wait_until 30 grep -q '^partition aws-cpu deny' "$BED_RUN/policy.cloud"
}

teardown_file() { gate_down; }

unit_is() { [ "$(of_unit "$1" "$2" "$3")" = "$4" ]; }
siblings_of() {
  squeue -M onprem -a --json | jq -r --argjson job "$1" '.jobs[] | select(.job_id == $job) | .federation_siblings_viable'
}

# The default partitions differ: cpu here, aws-cpu there.
@test "a job that either cluster may run is held in both units, until one has it" {
  job=$(run_sbatch -A proj001 -t 60 -H --wrap 'sleep 3')
  [ "$(siblings_of "$job")" = "cloud,onprem" ] || [ "$(siblings_of "$job")" = "onprem,cloud" ]
  unit_is proj001 core-hours held 1.2
  unit_is proj001 USD held 0.102
  cloud scontrol update PartitionName=aws-cpu State=DOWN # what begins there is a race otherwise
  onprem scontrol release "$job"
  wait_until 60 unit_is proj001 USD held 0
  wait_for_job "$job" COMPLETED
  wait_until 30 unit_is proj001 core-hours held 0
  [ "$(of_unit proj001 core-hours used)" != 0 ]
  [ "$(of_unit proj001 USD used)" = 0 ]
  cloud scontrol update PartitionName=aws-cpu State=UP
}

@test "where a unit is lacking the job is kept from the clusters that need it" {
  run sbatch --parsable -H -o /dev/null -A nih-r01 -t 60 --wrap true
  [ "$status" = 0 ]
  [[ $output == *"no 1.20 core-hours left for the other clusters: this job runs on cloud only"* ]]
  job=$(grep -E "^[0-9]+" <<<"$output")
  [ "$(siblings_of "${job%%;*}")" = cloud ]
  unit_is nih-r01 USD held 0.102
  onprem scancel "${job%%;*}"
  wait_until 60 unit_is nih-r01 USD held 0
}

@test "a further unit needs a price and a budget, and nothing else" {
  on_gpus() { run_sbatch -M onprem -A proj001 -p big --gres=gpu:v100:2 -t 60 "$@"; }
  run on_gpus
  echo "$output"
  [ "$status" != 0 ]
  [[ $output == *gpu-hours* ]]
  year=$(date -u +%Y)
  asbb account update proj001 --unit=gpu-hours --budget=3 --start="$year-01-01" --end="$year-12-31"
  job=$(on_gpus --wrap 'sleep 2')
  unit_is proj001 gpu-hours held 2.4
  run on_gpus
  echo "$output"
  [[ $output == *"only 0.60 gpu-hours"* ]]
  wait_for_job "$job" COMPLETED
  wait_until 60 unit_is proj001 gpu-hours held 0
  seconds=$(accounting "$job" ElapsedRaw)
  [ "$(of_unit proj001 gpu-hours used)" = "$(asbb transactions proj001 --job="$job" --type=charge --output json | jq '.[0].amount')" ]
  [ "$(asbb transactions proj001 --job="$job" --type=charge --output json | jq ".[0].amount * 3600 - 2 * $seconds | fabs < 0.01")" = true ]
}

# dry UNIT: beyond the limit, by more than what a job that ends gives back.
dry() {
  asbb adjust proj001 --unit="$1" --reason="a late invoice" \
    --amount="$(python3 -c "from decimal import Decimal as D; print(D('$(of_unit proj001 "$1" available)') + D('1'))")"
}

# The ladder of docs/dual-accounting.md, with a shorter grace.
@test "out of dollars, a job in the cloud ends and those on premises go on; out of core-hours, those that run go on" {
  cat >>"$GATE/config.yaml" <<'END'
enforcement:
  ladder: [warn, stop_new]
  partitions:
    aws-cpu: [warn, stop_new, {signal: USR1, grace: 3s}, cancel]
END
  service_stop "$GATE"
  service_run "$GATE"
  runs_here() { here=$(onprem run_sbatch -M onprem -A proj001 -p cpu -t 10 --mem=512 --wrap 'sleep 600'); }
  wait_until 30 runs_here
  wait_for_job "$here" RUNNING
  there=$(onprem run_sbatch --cluster-constraint=cloud -A proj001 -t 10 --mem=512 \
    --wrap "trap 'echo told >>$BED/told' USR1; while :; do sleep 0.1; done")
  wait_for_job "$there" RUNNING cloud 90
  sleep 0.5 # until the script has its trap
  dry USD
  wait_for_job "$there" CANCELLED cloud 30
  grep -q told "$BED/told"
  job_is "$here" onprem RUNNING
  # The steps are of that job alone.
  [ "$(asbb transactions proj001 --type=enforcement --output json | jq -r '.[].description' | grep -o '.* job [0-9]*' | tac |
    paste -sd,)" = "Send USR1 to job $there,Cancel job $there" ]
  for way in --cluster-constraint=cloud --cloud "-M cloud"; do
    # shellcheck disable=SC2086 # two words
    run onprem run_sbatch $way -A proj001 -t 1
    echo "$way: $output"
    [ "$status" -ne 0 ]
    [[ $output == *"account proj001"*"core-hours left on onprem: sbatch -M onprem ..."* ]]
  done
  more=$(onprem run_sbatch -M onprem -A proj001 -p cpu -t 1)
  wait_for_job "$more" COMPLETED
  run sbatch --parsable -H -o /dev/null -A proj001 -t 1 --wrap true
  echo "$output"
  [ "$status" = 0 ]
  [[ $output == *"this job runs on onprem only"* ]]
  both=$(grep -oE '^[0-9]+' <<<"$output")
  [ "$(siblings_of "$both")" = onprem ]
  dry core-hours
  refused() { ! onprem run_sbatch -M onprem -A proj001 -p cpu -t 1 -H; }
  wait_until 15 refused
  run onprem run_sbatch -M onprem -A proj001 -p cpu -t 1 -H
  [[ $output == *core-hours* ]]
  two_passes "$here"
  job_is "$here" onprem RUNNING
  onprem scancel "$here" "$both"
  wait_until 60 unit_is proj001 core-hours held 0
  asbb deposit proj001 --unit=USD --amount=200 --reason="more money"
  asbb deposit proj001 --unit=core-hours --amount=200 --reason="more money"
}

@test "where slurmctld tells of each start, the other unit goes back at once" {
  service_stop "$GATE"
  sed -i 's/reconcile_interval: .*/reconcile_interval: 5m/' "$GATE/config.yaml"
  sed -i '/^PrologSlurmctld=/d' "$BED_ONPREM_CONF" "$BED_CLOUD_CONF"
  run asbb slurm configure --service-user="$(id -un)" --prolog --write
  echo "$output"
  [ "$status" = 0 ]
  grep -q '^PrologSlurmctld=.*/asbb-prolog$' "$BED_ONPREM_CONF"
  "$SLURM_TESTS/bed" restart-controllers "$BED"
  service_run "$GATE"
  # The default partitions: what begins in the cloud is a race otherwise.
  held_for_both() { job=$(run_sbatch -A proj001 -t 60 -H --wrap 'sleep 60') && unit_is proj001 USD held 0.102; }
  wait_until 60 held_for_both
  cloud scontrol update PartitionName=aws-cpu State=DOWN
  onprem scontrol release "$job"
  wait_for_job "$job" RUNNING
  wait_until 10 unit_is proj001 USD held 0
  unit_is proj001 core-hours held 1.2
  onprem scancel "$job"
  wait_until 30 unit_is proj001 core-hours held 0
  cloud scontrol update PartitionName=aws-cpu State=UP
}

@test "a job that can be paid nowhere is refused" {
  run run_sbatch -A nih-r01 -t 60 --cluster-constraint=onprem
  [ "$status" != 0 ]
  [[ $output == *core-hours* ]]
}

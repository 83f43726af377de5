#!/usr/bin/env bats
# Two clusters that know nothing of each other, each with its own slurmdbd; one hands out single threads (CR_CPU), the other
# whole nodes (select/linear). The tests follow each other: random requests run beside the first ones, and in the last the
# controller of `cloud` goes down and comes back.

load helpers

setup_file() {
  local programs year cluster
  programs=$(programs_folder)
  bed_up --clusters independent --profile selects --slurm-conf MessageTimeout=4 \
    --plugin "$programs/lib/slurm/job_submit_budget.so" \
    --plugstack "budget_service_url=http://localhost:@PORT@ socket=@SOCKET@ timeout_ms=1000"
  export PATH=$programs/bin:$PATH GATE=$BED/asbb PRICES=$SLURM_TESTS/lib/selects-prices.yaml
  SERVICE_VIEW_MAX_AGE=15s service_start "$GATE"
  year=$(date -u +%Y)
  asbb prices import "$PRICES"
  asbb account create --name=proj001 --budget=1000000 --start="$year-01-01" --end="$year-12-31"
  wait_until 30 grep -q '^partition thread deny' "$BED_RUN/policy.onprem"
  wait_until 30 grep -q '^partition linear deny' "$BED_RUN/policy.cloud"
}

teardown_file() { gate_down; }

held_is() { [ "$(balance proj001 held)" = "$1" ]; }
# of_job JOB CLUSTER TYPE: amounts of the ledger's entries of that job.
of_job() {
  asbb transactions proj001 --job="$1" --limit=1000 --output json |
    jq -r --arg cluster "$2" --arg type "$3" '[.[] | select(.cluster == $cluster and .type == $type) | .amount] | join(" ")'
}
charged() { [ -n "$(of_job "$1" "$2" charge)" ]; }
hold_of() { of_job "$1" "$2" bind; }
# sacct_of CLUSTER JOB COLUMNS: of the slurmdbd of that cluster.
sacct_of() { "$1" sacct -M "$1" -a -D -X -P -n -j "$2" --format="$3"; }

# Recomputes every charge of both clusters with a program that shares no code with asbb.
ledger_is_sacct() {
  local cluster
  for cluster in onprem cloud; do
    $cluster sacct -M $cluster -D -X -P -n --noconvert -a -S now-1day -A proj001 \
      --format=Cluster,JobID,Partition,State,ElapsedRaw,Start,AllocTRES,NodeList
  done >"$GATE/sacct.txt"
  asbb transactions proj001 --limit=10000 --output json >"$GATE/proj001.json"
  "$SLURM_TESTS/verify_charges" "$PRICES" "$GATE/sacct.txt" "$GATE/proj001.json"
}

# random SCENE CLUSTER: in the background; what it says is in a file, which ends with its exit code.
random() {
  (
    "$2" "$SLURM_TESTS/random_requests" --prices "$PRICES" --scene "$1" --count "${ESTIMATE_COUNT:-24}" \
      --seed "${ESTIMATE_SEED:-20250101}" --wait "${ESTIMATE_WAIT:-30}" --requests "$GATE/$1.json"
    echo "exit code $?"
  ) </dev/null >"$GATE/$1.said" 2>&1 3>&- 4>&- &
  disown
}

@test "the same job id on both is two jobs: held, bound and charged each by itself" {
  here=$(onprem run_sbatch -A proj001 -p cpu -t 10 --wrap 'sleep 1')
  there=$(cloud run_sbatch -A proj001 -p aws-cpu -t 20 --wrap 'sleep 2')
  [ "$here" = "$there" ]
  random thread onprem
  random linear cloud
  wait_until 30 charged "$here" onprem
  wait_until 30 charged "$there" cloud
  # 3.60 USD an hour here; a whole node of 16 CPUs at 7.20 USD there
  seconds=$(sacct_of onprem "$here" ElapsedRaw)
  [ "$(of_job "$here" onprem charge)" = "$(awk -v s="$seconds" 'BEGIN { print s * 0.001 }')" ]
  seconds=$(sacct_of cloud "$there" ElapsedRaw)
  [ "$(of_job "$there" cloud charge)" = "$(awk -v s="$seconds" 'BEGIN { print s * 0.032 }')" ]
}

@test "asbb submit reaches the cluster that -M does not name, and says what it costs there" {
  [[ $SLURM_CONF == "$BED_ONPREM_CONF" ]]
  run asbb submit --cluster=cloud -H -A proj001 -p aws-cpu -t 20 -o /dev/null --wrap 'echo "a  b"'
  echo "$output"
  [ "$status" = 0 ]
  [[ $output == *"onprem: not now: Partition 'aws-cpu' is not known on cluster 'onprem'."* ]]
  [[ $output == *"cloud is chosen"* ]]
  job=$(sed -n 's/^Submitted batch job \([0-9]*\)$/\1/p' <<<"$output")
  [ "$(cloud squeue -h -j "$job" -o '%P %T')" = "aws-cpu PENDING" ]
  cloud scontrol write batch_script "$job" - | grep -F 'echo "a  b"'
  cloud scancel "$job"
  run asbb submit --dry-run --cluster=cloud -A proj001 -p aws-cpu -t 20 --wrap true
  [ "${lines[-1]}" = "SLURM_CONF=$BED_CLOUD_CONF sbatch --account=proj001 -p aws-cpu -t 20 --wrap true" ]
}

@test "a suspended job is charged for the time in which it was not" {
  job=$(onprem run_sbatch -A proj001 -p cpu -t 10 --wrap 'sleep 6')
  wait_for_job "$job" RUNNING
  onprem scontrol suspend "$job"
  wait_for_job "$job" SUSPENDED
  sleep 3
  onprem scontrol resume "$job"
  wait_for_job "$job" COMPLETED
  wait_until 30 charged "$job" onprem
  IFS='|' read -r elapsed suspended start end < <(sacct_of onprem "$job" ElapsedRaw,Suspended,Start,End)
  echo "ran $elapsed s, suspended $suspended, $start to $end"
  [ "$suspended" != 00:00:00 ]
  [ $(($(date -d "$end" +%s) - $(date -d "$start" +%s))) -ge $((elapsed + 2)) ]
  [ "$(of_job "$job" onprem charge)" = "$(awk -v s="$elapsed" 'BEGIN { print s * 0.001 }')" ]
}

@test "no random request was given more than was estimated for it, by single threads and by whole nodes" {
  ended() { grep -q '^exit code' "$GATE/$1.said"; }
  wait_until 120 ended thread
  wait_until 120 ended linear
  cat "$GATE/thread.said" "$GATE/linear.said"
  [ "$(cat "$GATE/thread.said" "$GATE/linear.said" | grep -c '^exit code 0$')" = 2 ]
}

@test "a component of a het job that is changed is a job of its own" {
  wait_until 60 held_is 0
  ids() { onprem squeue -a -h -n het -o '%A %l' | sort -n; }
  onprem run_sbatch -J het -A proj001 -p cpu -t 60 -n 1 -H : -J het -p cpu -t 60 -n 2
  read -r first _ < <(ids)
  # 1 and 2 CPUs for an hour at 3.60 USD, x 1.2
  wait_until 30 held_is 12.96
  onprem scontrol update "JobId=$first+1" TimeLimit=120
  ids
  wait_until 30 held_is 21.6
  onprem scancel "$first"
  wait_until 30 held_is 0
}

# Slurm changes each component, and asks for each.
@test "a het job that is changed by its own number is changed in all components, and each is priced" {
  wait_until 60 held_is 0
  limits() { onprem squeue -a -h -n het -O JobID:20,TimeLimit:12 | sort -n | awk '{ print $2 }' | paste -sd,; }
  first=$(onprem run_sbatch -J het -A proj001 -p cpu -t 60 -n 1 -H : -J het -p cpu -t 60 -n 2)
  wait_until 30 held_is 12.96
  onprem scontrol update "JobId=$first" TimeLimit=120
  held_is 25.92
  [ "$(limits)" = 2:00:00,2:00:00 ]
  onprem asbb reconcile "$first" --cluster=onprem
  held_is 25.92
  # Of two components that cost 3.60 and 7.20 USD an hour more, x 1.2, there is money for the first alone.
  spare=$(asbb account show proj001 --output json | jq -r '.budgets[0].available')
  asbb adjust proj001 --amount="$(awk -v a="$spare" 'BEGIN { print a - 6 }')" --reason="spent otherwise"
  run onprem scontrol update "JobId=$first" TimeLimit=180
  echo "$output"
  [ "$status" != 0 ]
  [ "$(limits)" = 3:00:00,2:00:00 ]
  held_is 30.24
  asbb adjust proj001 --amount="$(awk -v a="$spare" 'BEGIN { print 6 - a }')" --reason="and back"
  onprem scontrol update "JobId=$first" TimeLimit=30
  onprem scancel "$first"
  wait_until 60 held_is 0
}

@test "while a controller is down the other cluster goes on, and when it is back so does its own" {
  running=$(cloud run_sbatch -A proj001 -p aws-cpu -t 20 --wrap 'sleep 300')
  waiting=$(cloud run_sbatch -A proj001 -p aws-cpu -t 20 --begin=now+1hour)
  wait_for_job "$running" RUNNING cloud
  bound() { [ -n "$(of_job "$1" cloud bind)" ]; }
  wait_until 30 bound "$running"
  wait_until 30 bound "$waiting"
  "$SLURM_TESTS/bed" stop-controllers "$BED" cloud
  job=$(onprem run_sbatch -A proj001 -p cpu -t 10 --wrap 'sleep 1')
  wait_until 40 charged "$job" onprem
  refused() {
    run asbb quote -- -M cloud -A proj001 -p aws-cpu -t 5
    [[ $output == *"no recent view of cluster 'cloud'"* ]]
  }
  wait_until 45 refused
  [ "$status" != 0 ]
  asbb quote -- -M onprem -A proj001 -p cpu -t 5
  # neither given back nor charged: 16 CPUs at 7.20 USD for 20 minutes, x 1.2, twice
  held_is 92.16
  "$SLURM_TESTS/bed" start-controllers "$BED" cloud
  wait_for_job "$running" RUNNING cloud
  cloud scancel "$running" "$waiting"
  wait_until 60 charged "$running" cloud
  wait_until 60 held_is 0
  quoted() { asbb quote -- -M cloud -A proj001 -p aws-cpu -t 5; }
  wait_until 30 quoted
  run ledger_is_sacct
  echo "$output"
  [ "$status" = 0 ]
  asbb audit verify
}

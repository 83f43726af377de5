#!/usr/bin/env bats
# Changes of jobs on real Slurm: what costs more is held before Slurm makes the change, what costs less comes back when it is
# seen, and what Slurm refuses leaves no trace; by users and by administrators.

load ../helpers

setup_file() {
  gate_up
  local year
  year=$(date -u +%Y)
  asbb account create --name=proj002 --budget=20 --start="$year-01-01" --end="$year-12-31"
  wait_until 60 asbb quote -- -A proj001 -p cpu -t 1
}
teardown_file() { gate_down; }
teardown() {
  explain_failure
  scancel -u games 2>/dev/null || true
  scancel -u "$(id -un)" 2>/dev/null || true
  wait_until 60 nothing_held || true
}

nothing_held() {
  local account
  for account in proj001 proj002 nih-r01; do [ "$(balance "$account" held)" = 0 ] || return 1; done
}
held() { balance "${1:-proj002}" held; }
# is_times VALUE FACTOR BASE: to a millionth of a dollar.
is_times() { awk -v v="$1" -v f="$2" -v b="$3" 'BEGIN { d = v - f * b; exit !(d < 0.000002 && d > -0.000002) }'; }
held_is() { is_times "$(held "${3:-proj002}")" "$1" "$2"; }
# What was set aside for changes that were asked for; not what took its place when they were seen.
holds_placed() {
  asbb transactions proj002 --type=hold --limit=10000 --output json |
    jq '[.[] | select(.reason == "a change of the job is asked for")] | length'
}
# A change that was made is the job's hold after a while: the money on the side is gone, the sum stays.
followed() { [ "$(grep -c 'follows its change' "$GATE/service.log")" -gt "${1:-0}" ]; }
follows() { grep -c 'follows its change' "$GATE/service.log" || true; }
as_games() { as_user games "$@"; }
waiting_job() {
  as_games sbatch --parsable -o /dev/null -D /tmp -H -A proj002 -p "${PARTITION:-cpu}" -t 60 "$@" --wrap true | cut -d';' -f1
}
seen_held() { wait_until 30 job_is "$1" onprem PENDING && wait_until 30 bound "$1"; }
bound() { [ "$(asbb transactions "${2:-proj002}" --job="$1" --type=bind --output json | jq length)" -ge 1 ]; }

@test "a user's longer job is held at once, a shorter one gives back when it is seen" {
  job=$(waiting_job)
  seen_held "$job"
  base=$(held)
  before=$(follows)
  as_games scontrol update "JobId=$job" TimeLimit=120
  held_is 2 "$base"
  wait_until 30 followed "$before"
  held_is 2 "$base"
  before=$(follows)
  as_games scontrol update "JobId=$job" TimeLimit=30
  wait_until 30 held_is 0.5 "$base"
  as_games scontrol update "JobId=$job" TimeLimit=60
  held_is 1 "$base"
  two_passes "$job"
  held_is 1 "$base"
}

@test "without money it is refused, and the job is as it was" {
  job=$(waiting_job -n 8)
  seen_held "$job"
  base=$(held)
  run as_games scontrol update "JobId=$job" "TimeLimit=23:00:00" NumCPUs=32
  echo "$output"
  [ "$status" != 0 ]
  [[ $output == *"Job violates accounting/QOS policy"* ]]
  [ "$(squeue -h -j "$job" -o %l)" = 1:00:00 ]
  held_is 1 "$base"
}

@test "each way to make a job larger is held, by the user and by an administrator" {
  changes=(NumCPUs=4 "NumCPUs=2 NumTasks=2" "NumNodes=2-2" MinMemoryNode=3000 "TimeLimit=90")
  jobs=()
  for ((i = 0; i < 2 * ${#changes[@]}; i++)); do jobs+=("$(waiting_job --mem=500)"); done
  for job in "${jobs[@]}"; do seen_held "$job"; done
  for who in as_games command; do
    for change in "${changes[@]}"; do
      base=$(held)
      # shellcheck disable=SC2086 # several words on purpose
      $who scontrol update "JobId=${jobs[0]}" $change
      after=$(held)
      echo "$who $change: $base -> $after"
      awk -v a="$after" -v b="$base" 'BEGIN { exit !(a > b) }'
      jobs=("${jobs[@]:1}")
    done
  done
}

@test "GPUs cost more, and a partition that costs nothing gives all back" {
  job=$(PARTITION=gpu-aws waiting_job --gres=gpu:a100:1)
  seen_held "$job"
  base=$(held)
  as_games scontrol update "JobId=$job" TresPerNode=gres:gpu:a100:2
  awk -v a="$(held)" -v b="$base" 'BEGIN { exit !(a > 1.5 * b) }'
  scancel "$job"
  wait_until 60 nothing_held
  job=$(waiting_job)
  seen_held "$job"
  as_games scontrol update "JobId=$job" Partition=quiet
  wait_until 30 nothing_held
  as_games scontrol update "JobId=$job" Partition=cpu
  [ "$(held)" != 0 ]
  two_passes "$job"
  [ "$(held)" != 0 ]
}

@test "another account pays from the change on" {
  job=$(run_sbatch -H -A proj001 -p cpu -t 60 --wrap 'sleep 3')
  wait_until 30 bound "$job" proj001
  base=$(held proj001)
  scontrol update "JobId=$job" Account=nih-r01
  held_is 1 "$base" nih-r01
  wait_until 30 held_is 0 1 proj001
  held_is 1 "$base" nih-r01
  scontrol release "$job"
  wait_for_job "$job" COMPLETED
  wait_until 60 nothing_held
  [ "$(balance nih-r01 used)" != 0 ]
}

@test "what Slurm refuses leaves no trace" {
  job=$(waiting_job)
  seen_held "$job"
  base=$(held)
  run as_games scontrol update "JobId=$job" TimeLimit=120 QOS=nosuch
  [ "$status" != 0 ]
  [ "$(squeue -h -j "$job" -o %l)" = 1:00:00 ]
  held_is 2 "$base"
  wait_until 40 held_is 1 "$base"
  wait_until 20 grep -q "Slurm did not make the change" "$GATE/service.log"
}

@test "somebody else's job: Slurm refuses, and nothing was set aside" {
  job=$(waiting_job)
  seen_held "$job"
  base=$(held)
  run as_user news scontrol update "JobId=$job" TimeLimit=120
  [ "$status" != 0 ]
  held_is 1 "$base"
}

# holds_of JOB: how many holds it ever had, one after the other or side by side.
holds_of() { asbb transactions proj002 --job="$1" --type=bind --output json | jq length; }
asks_for() { curl -sf --unix-socket "$BED_SERVICE_SOCKET" http://localhost/api/v1/status | jq -r ".alarms[].message" | grep -q "^onprem job $1 was changed"; }

@test "a job that nobody changed keeps its hold, however its memory was asked for" {
  local forms=(mem=0 mem=1000 mem=1536 mem=1500 mem-per-cpu=1500 "mem=1000 -n16" "mem=2000 --array=0-1") jobs=() form
  # shellcheck disable=SC2086 # several words on purpose
  for form in "${forms[@]}"; do
    jobs+=("$(waiting_job --$form)")
    jobs+=("$(as_games sbatch --parsable -o /dev/null -D /tmp -A proj002 -p cpu -t 60 --$form --wrap 'sleep 300' | cut -d';' -f1)")
  done
  wait_for_job "${jobs[3]}" RUNNING
  for job in "${jobs[@]}"; do wait_until 30 bound "$job"; done
  two_passes "${jobs[0]}"
  for ((i = 0; i < ${#jobs[@]}; i++)); do
    echo "--${forms[i / 2]}: $(job_state "${jobs[i]}")"
    [ "$(holds_of "${jobs[i]}")" = 1 ]
  done
  base=$(held)
  before=$(follows)
  as_games scontrol update "JobId=${jobs[2]}" MinMemoryNode=3000
  wait_until 30 followed "$before"
  awk -v a="$(held)" -v b="$base" 'BEGIN { exit !(a > b) }'
}

@test "a coordinator of the account is asked for the money as the owner is, a stranger learns nothing" {
  onprem sacctmgr -i -Q add coordinator account=lab names=games
  job=$(run_sbatch -H -A nih-r01 -p cpu -t 60 --mem=1024)
  wait_until 30 bound "$job" nih-r01
  base=$(held nih-r01)
  sleep 6 # until the service has read the associations again
  as_games scontrol update "JobId=$job" TimeLimit=120
  held_is 2 "$base" nih-r01
  left=$(balance nih-r01 available)
  asbb withdraw nih-r01 --amount="$(awk -v l="$left" 'BEGIN { printf "%.6f", l - 0.01 }')" --reason='a test'
  run as_games scontrol update "JobId=$job" TimeLimit=20:00:00
  echo "$output"
  [ "$status" != 0 ]
  [[ $output == *"Job violates accounting/QOS policy"* ]]
  [ "$(squeue -h -j "$job" -o %l)" = 2:00:00 ]
  held_is 2 "$base" nih-r01
  run as_user news scontrol update "JobId=$job" TimeLimit=20:00:00
  [ "$status" != 0 ]
  [[ $output != *QOS* ]]
  own=$(waiting_job)
  run as_user news scontrol update "JobId=$own" TimeLimit=20:00:00
  [ "$status" != 0 ]
  [[ $output != *QOS* ]]
  asbb deposit nih-r01 --amount="$(awk -v l="$left" 'BEGIN { printf "%.6f", l - 0.01 }')" --reason='a test'
  onprem sacctmgr -i -Q delete coordinator account=lab names=games || true
  scancel "$job"
}

@test "the alarm of a change that cannot be paid goes when the job is over" {
  job=$(run_sbatch -A nih-r01 -p cpu -t 10 --wrap 'sleep 300')
  wait_for_job "$job" RUNNING
  wait_until 30 bound "$job" nih-r01
  left=$(balance nih-r01 available)
  asbb withdraw nih-r01 --amount="$(awk -v l="$left" 'BEGIN { printf "%.6f", l - 0.01 }')" --reason='a test'
  scontrol update "JobId=$job" TimeLimit=20:00:00
  wait_until 30 asks_for "$job"
  scancel "$job"
  wait_until 60 nothing_held
  wait_until 30 eval '! asks_for "$job"'
  asbb deposit nih-r01 --amount="$(awk -v l="$left" 'BEGIN { printf "%.6f", l - 0.01 }')" --reason='a test'
}

@test "an operator's change of a running job is followed" {
  onprem sacctmgr -i -Q modify user news set adminlevel=operator
  job=$(as_user games sbatch --parsable -o /dev/null -D /tmp -A proj002 -p cpu -t 60 --wrap 'sleep 300' | cut -d';' -f1)
  wait_for_job "$job" RUNNING
  wait_until 30 bound "$job"
  base=$(held)
  run as_games scontrol update "JobId=$job" TimeLimit=120
  [ "$status" != 0 ]
  wait_until 60 held_is 1 "$base"
  as_user news scontrol update "JobId=$job" TimeLimit=120
  wait_until 30 held_is 2 "$base"
  two_passes "$job"
  held_is 2 "$base"
  scancel "$job"
  onprem sacctmgr -i -Q modify user news set adminlevel=none
  wait_until 60 nothing_held
}

@test "a thousand tasks in one command are one hold, also when each has a record of its own" {
  job=$(waiting_job -t 10 --array=0-999)
  seen_held "$job"
  base=$(held)
  before=$(holds_placed)
  seen=$(follows)
  as_games scontrol update "JobId=$job" TimeLimit=12
  awk -v a="$(held)" -v b="$base" 'BEGIN { exit !(a > 1.19 * b && a < 1.21 * b) }'
  [ "$(holds_placed)" = $((before + 1)) ]
  wait_until 60 followed "$seen"
  two_passes "$job"
  before=$(holds_placed)
  started=$(date +%s%N)
  as_games scontrol update "JobId=${job}_[0-499]" TimeLimit=14
  took=$((($(date +%s%N) - started) / 1000000))
  echo "500 records of their own: $took ms, $(holds_placed) holds placed, $before before"
  [ "$(holds_placed)" = $((before + 1)) ]
  [ "$took" -lt 20000 ]
  scancel "$job"
  wait_until 120 nothing_held
}

@test "service stopped: a user's change waits, an administrator's is made and followed later" {
  job=$(waiting_job)
  seen_held "$job"
  base=$(held)
  service_stop "$GATE"
  run as_games scontrol update "JobId=$job" TimeLimit=120
  [ "$status" != 0 ]
  [ "$(squeue -h -j "$job" -o %l)" = 1:00:00 ]
  as_games scontrol update "JobId=$job" Name=other
  scontrol update "JobId=$job" TimeLimit=120
  [ "$(squeue -h -j "$job" -o %l)" = 2:00:00 ]
  service_run "$GATE"
  service_knows_clusters
  wait_until 60 held_is 2 "$base"
  asbb audit verify
}

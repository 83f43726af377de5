#!/usr/bin/env bats
# The paths of a job's life that no other file walks, on real Slurm: what changes without moving money, long arrays, sizes and
# limits that change while a job runs, the end of a period, a node that has to boot, an sbatch that gave up.

load helpers

setup_file() {
  GATE_BED_OPTIONS='--slurm-conf OverTimeLimit=1 --slurm-conf MaxArraySize=10001 --slurm-conf MaxJobCount=20000 --slurm-conf MessageTimeout=5' \
    gate_up
  asbb account create --name=slow --budget=100 --start="$(date -u +%Y)-01-01" --end="$(date -u +%Y)-12-31"
  people_of slow
  # What takes minutes goes on beside the tests: the last two see how it ended.
  run_sbatch -A slow -p cpu -t 1 --mem=1024 --wrap 'sleep 300' >"$GATE/timeout.job"
  run_sbatch -A slow -p gpu-aws -N 1 --gres=gpu:a100:1 -t 5 --wrap 'sleep 62' >"$GATE/boot.job"
  wait_until 20 begins "$(<"$GATE/boot.job")"
  begins "$(<"$GATE/boot.job")" >"$GATE/boot.start"
}
teardown_file() { gate_down; }
teardown() {
  explain_failure
  onprem scancel -A proj001
  wait_until 60 held_is 0
}

# people_of ACCOUNT: whoever runs this may use it, also with sbatch.
people_of() {
  sacctmgr -i -Q add account "$1" cluster=onprem
  sacctmgr -i -Q add user "$(id -un)" account="$1" cluster=onprem
  wait_until 60 asbb quote -- -A "$1" -p cpu -t 1
}
# begins JOB: when the allocation was made, as long as it is being booted.
begins() { onprem squeue -h -j "$1" -t CF,R -o %S | grep T; }

held() { balance "${1:-proj001}" held; }
held_is() { awk -v v="$(held "${2:-proj001}")" -v w="$1" -v d="${3:-0.000002}" 'BEGIN { e = v - w; exit !(e <= d && -e <= d) }'; }
entries() { asbb transactions "${3:-proj001}" --job="$1" --type="$2" --all --output json | jq length; }
entries_are() { [ "$(entries "$1" "$2" "${4:-proj001}")" = "$3" ]; }
at_least() { [ "$(entries "$1" "$2")" -ge "$3" ]; }
bound() { at_least "$1" bind 1; }
charged() { # JOB [ACCOUNT]: exactly, which jq's floating point is not
  asbb transactions "${2:-proj001}" --job="$1" --all --output json | python3 -c '
import decimal, json, sys
print(sum(e["amount"] for e in json.load(sys.stdin, parse_float=decimal.Decimal) if e["type"] in ("charge", "overrun")))'
}
times() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.9f", a * b }'; }

# cost_of JOB: what slurmdbd's rows of it cost in partition cpu, each size for its own time, with a program that shares no code
# with asbb. A row that follows a resize starts with the job.
cost_of() {
  sacct -M onprem -D -X -P -n --noconvert -a -j "$1" --format=Submit,Start,ElapsedRaw,AllocTRES | python3 -c '
import datetime, decimal, re, sys
total = decimal.Decimal(0)
for line in sys.stdin:
    submit, start, seconds, tres = line.strip().split("|")
    cores, memory = re.search(r"cpu=(\d+)", tres), re.search(r"mem=(\d+)([MG])", tres)
    if not cores:
        continue
    submit, start = map(datetime.datetime.fromisoformat, (submit, start))
    seconds = int(seconds) - max(0, int((submit - start).total_seconds()))
    rate = int(cores[1]) * decimal.Decimal("0.04") + decimal.Decimal(memory[1]) / {"M": 1024, "G": 1}[memory[2]] * decimal.Decimal("0.002")
    total += (decimal.Decimal(seconds) * rate / 3600).quantize(decimal.Decimal("0.000001"), decimal.ROUND_HALF_EVEN)
print(total)'
}
# is_same A B: however they are written.
is_same() { python3 -c 'import sys; from decimal import Decimal as D; sys.exit(D(sys.argv[1]) != D(sys.argv[2]))' "$1" "$2"; }
costs_what_it_ran() { is_same "$(charged "$@")" "$(cost_of "$1")"; } # JOB [ACCOUNT]

@test "tasks at once, QOS, requeue flag, hold and release move no money" {
  onprem sacctmgr -i -Q add qos other
  onprem sacctmgr -i -Q modify user where name="$(id -un)" set qos+=other
  job=$(run_sbatch -H -A proj001 -p cpu -t 10 --mem=1024 --array=0-3%1 --wrap 'sleep 1')
  wait_until 30 bound "$job"
  base=$(held)
  # 0.042 USD an hour for 10 minutes and OverTimeLimit, four times, x 1.2
  held_is 0.03696
  for change in ArrayTaskThrottle=2 QOS=other Requeue=0 Requeue=1 Nice=10 JobName=other Comment=other; do
    onprem scontrol update "JobId=$job" "$change"
    held_is "$base"
  done
  onprem scontrol release "$job"
  wait_until 60 at_least "$job" charge 1
  onprem scontrol hold "$job" || true # the tasks that have ended are refused
  two_passes "$job"
  onprem scontrol release "$job" || true
  wait_until 60 held_is 0
  entries_are "$job" charge 4
  costs_what_it_ran "$job"
  entries_are "$job" hold 0 # none but the one before there was a job
}

@test "an array of ten thousand tasks is one hold, and each task's end gives its part back" {
  one=$(run_sbatch -H -A proj001 -p cpu -t 1 --mem=100)
  wait_until 30 bound "$one"
  part=$(held)
  onprem scancel "$one"
  wait_until 30 held_is 0
  job=$(run_sbatch -H -A proj001 -p cpu -t 1 --mem=100 --array=0-9999%4 --wrap 'sleep 1')
  held_is "$(times "$part" 10000)" proj001 0.011
  base=$(held)
  onprem scontrol release "$job"
  wait_until 60 at_least "$job" charge 4
  onprem scontrol hold "$job" || true # the tasks that have ended are refused
  no_task_runs() { [ -z "$(onprem squeue -h -r -j "$job" -t R,CG,CF -o %i)" ]; }
  # Tasks that were just being started are seen, and slurmdbd has heard of all.
  stays_quiet() { no_task_runs && sleep 3 && no_task_runs; }
  wait_until 60 stays_quiet
  ran=$(sacct -M onprem -X -P -n -j "$job" --format=State,NodeList | grep -c '^COMPLETED|cpu')
  left() { held_is "$(awk -v b="$base" -v p="$part" -v n="$1" 'BEGIN { printf "%.9f", b - n * p }')" proj001 0.011; }
  wait_until 30 entries_are "$job" charge "$ran"
  wait_until 30 left "$ran"
  onprem scancel "${job}_[5000-7499]"
  wait_until 60 left $((ran + 2500))
  onprem scancel "$job"
  wait_until 60 held_is 0
  # Reports may be late while thousands of tasks are settled.
  asbb transactions proj001 --job="$job" --type=charge || true
  wait_until 30 entries_are "$job" charge "$ran"
  wait_until 30 costs_what_it_ran "$job"
  asbb audit verify
  # The pass that settles thousands of tasks is still on its way: no other test waits for it.
  wait_until 60 two_passes "$job"
}

@test "a job that gives a node back while it runs is charged for each size, and goes on with what is left" {
  job=$(run_sbatch -A proj001 -p cpu -N 2 -n 2 -t 10 --mem-per-cpu=512 --wrap 'sleep 300')
  wait_for_job "$job" RUNNING
  wait_until 30 bound "$job"
  base=$(held)
  sleep 3
  onprem scontrol update "JobId=$job" NumNodes=1
  wait_until 30 entries_are "$job" charge 1
  two_passes "$job"
  awk -v h="$(held)" -v b="$base" 'BEGIN { exit !(h <= b) }'
  sleep 2
  onprem scancel "$job"
  wait_until 60 held_is 0
  entries_are "$job" charge 2
  [ "$(sacct -M onprem -D -X -P -n -j "$job" --format=State | head -1)" = RESIZING ]
  costs_what_it_ran "$job"
}

@test "with --time-min the hold follows the limit that Slurm makes of it" {
  job=$(run_sbatch -H -A proj001 -p cpu -t 60 --time-min=5 --mem=1024 --wrap 'sleep 300')
  wait_until 30 bound "$job"
  held_is "$(times 61 0.00084)"
  onprem scontrol release "$job"
  wait_for_job "$job" RUNNING
  follows() { held_is "$(times "$(($(onprem squeue -h -j "$job" -O TimeLimit | awk -F: '{ print NF == 3 ? $1 * 60 + $2 : $1 }') + 1))" 0.00084)"; }
  wait_until 30 follows
  two_passes "$job"
  follows
  onprem scancel "$job"
  wait_until 60 held_is 0
}

@test "a job that is cancelled while it is suspended costs what it ran until then" {
  job=$(run_sbatch -A proj001 -p cpu -t 10 --mem=1024 --wrap 'sleep 300')
  wait_for_job "$job" RUNNING
  sleep 2
  onprem scontrol suspend "$job"
  wait_for_job "$job" SUSPENDED
  sleep 5
  cancelled=$(date -u +%FT%T)
  onprem scancel "$job"
  wait_until 60 held_is 0
  costs_what_it_ran "$job"
  # Slurm takes the suspension for its end.
  [[ $(sacct -M onprem -X -P -n -j "$job" --format=End) < $cancelled ]]
}

@test "an sbatch that gave up was accepted all the same: the job is held, and sent again there are two" {
  slurmctld=$(cat "$BED_RUN/pid/slurmctld-onprem")
  kill -STOP "$slurmctld"
  run timeout 60 sbatch -J gave-up -o /dev/null -H -A proj001 -p cpu -t 10 --mem=1024 --wrap true
  kill -CONT "$slurmctld"
  echo "$output"
  [ "$status" != 0 ]
  jobs() { onprem squeue -h -n gave-up -o %A; }
  are_there() { [ "$(jobs | wc -l)" -ge 1 ]; }
  wait_until 30 are_there
  run_sbatch -J gave-up -H -A proj001 -p cpu -t 10 --mem=1024
  count=$(jobs | wc -l)
  [ "$count" -ge 2 ]
  wait_until 30 held_is "$(times "$count" 0.00924)"
  for job in $(jobs); do wait_until 30 bound "$job"; done
  # shellcheck disable=SC2046 # one word a job
  onprem scancel $(jobs)
  wait_until 60 held_is 0
}

@test "the period ends: what waits is held in the next one, what runs is charged to the one it started in" {
  sacctmgr -i -Q add account quarter cluster=onprem
  sacctmgr -i -Q add user "$(id -un)" account=quarter cluster=onprem
  turn=$(($(date +%s) + 45))
  at() { date -u -d "@$1" +%FT%TZ; }
  jq -n --arg first "$(at $((turn - 86400)))" --arg turn "$(at $turn)" --arg last "$(at $((turn + 86400)))" \
    '{slurm_account: "quarter", budgets: [{unit: "USD", limit: 10, start_date: $first, end_date: $turn},
                                          {unit: "USD", limit: 5, start_date: $turn, end_date: $last}]}' |
    curl -fsS --unix-socket "$BED_SERVICE_SOCKET" -H 'Content-Type: application/json' -d @- http://localhost/api/v1/accounts
  # of NUMBER held|used: of its first or second budget.
  of() { asbb account show quarter --output json | jq -r --argjson n "$1" --arg what "$2" '.budgets | sort_by(.start_date)[$n - 1][$what]'; }
  of_is() { is_same "$(of "$1" "$2")" "$3"; }
  wait_until 30 asbb quote -- -A quarter -p cpu -t 1
  runs=$(run_sbatch -A quarter -p cpu -t 10 --mem=1024 --wrap 'sleep 300')
  waits=$(run_sbatch -H -A quarter -p cpu -t 20 --mem=1024 --wrap 'sleep 1')
  wait_for_job "$runs" RUNNING
  of_is 1 held 0.02688
  [ "$(date +%s)" -lt $turn ]
  moved() { of_is 1 held 0.00924 && of_is 2 held 0.01764; }
  wait_until 90 moved
  onprem scancel "$runs"
  wait_until 60 of_is 1 held 0
  of_is 1 used "$(cost_of "$runs")"
  of_is 2 used 0
  onprem scontrol release "$waits"
  wait_until 60 of_is 2 held 0
  of_is 2 used "$(cost_of "$waits")"
  of_is 1 used "$(cost_of "$runs")"
  asbb audit verify
}

@test "a job that runs into OverTimeLimit is within its hold, but for the moments until Slurm looks" {
  job=$(<"$GATE/timeout.job")
  wait_for_job "$job" TIMEOUT onprem 240
  ended() { [ "$(charged "$job" slow)" != 0 ]; }
  wait_until 60 ended
  costs_what_it_ran "$job" slow
  seconds=$(accounting "$job" ElapsedRaw onprem)
  echo "ran for $seconds s"
  [ "$seconds" -gt 100 ]
  # one minute and one of OverTimeLimit, x 1.2; Slurm looks every half minute
  entries_are "$job" overrun "$((seconds > 144))" slow
}

@test "the time in which a node boots costs nobody anything" {
  job=$(<"$GATE/boot.job")
  wait_for_job "$job" COMPLETED onprem 240
  ended() { [ "$(charged "$job" slow)" != 0 ]; }
  wait_until 60 ended
  IFS='|' read -r start seconds cores < <(accounting "$job" Start,ElapsedRaw,AllocCPUS onprem)
  echo "allocated $(<"$GATE/boot.start"), started $start, ran $seconds s on $cores cores"
  [[ $(<"$GATE/boot.start") < $start ]]
  [ "$seconds" -ge 62 ]
  # 0.40 USD an hour for the node, 0.05 for a core, 3.06 for the GPU
  is_same "$(charged "$job" slow)" "$(python3 -c 'import sys; from decimal import *; s, c = map(Decimal, sys.argv[1:])
print((s * (Decimal("3.46") + c * Decimal("0.05")) / 3600).quantize(Decimal("0.000001"), ROUND_HALF_EVEN))' "$seconds" "$cores")"
  wait_until 30 held_is 0 slow
}

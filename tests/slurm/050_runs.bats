#!/usr/bin/env bats
# Jobs that run more than once, on real Slurm: each run is charged once, by its cause, and the next one has money.

load helpers

setup_file() {
  GATE_BED_OPTIONS='--slurm-conf PreemptType=preempt/partition_prio --slurm-conf PreemptMode=REQUEUE' \
    ASBB_BUDGET_WRITE_OFF_ACCOUNT=overhead ASBB_BUDGET_COST_OF_NODE_FAIL=write-off gate_up
  local year
  year=$(date -u +%Y)
  asbb account create --name=overhead --budget=1 --start="$year-01-01" --end="$year-12-31"
}
teardown_file() { gate_down; }
teardown() {
  explain_failure
  onprem scancel -u "$(id -un)"
  wait_until 30 held_is 0
}

# entries JOB TYPE: how many of that type the job has.
entries() { asbb transactions proj001 --job="$1" --type="$2" --output json | jq length; }
entries_are() { [ "$(entries "$1" "$2")" = "$3" ]; }

# held_is AMOUNT: what is held on proj001, where this job is the only one.
held_is() { [ "$(balance proj001 held)" = "$1" ]; }

# cost_of JOB [STATE]: what slurmdbd says its ended runs (those of that state) cost in partition cpu, with a program that shares
# no code with asbb.
cost_of() {
  sacct -M onprem -D -X -P -n --noconvert -a -j "$1" --format=State,ElapsedRaw,AllocTRES | python3 -c '
import decimal, re, sys
total = decimal.Decimal(0)
for line in sys.stdin:
    state, seconds, tres = line.strip().split("|")
    cores, memory = re.search(r"cpu=(\d+)", tres), re.search(r"mem=(\d+)([MG])", tres)
    if not cores or not state.startswith(sys.argv[1]):
        continue
    rate = int(cores[1]) * decimal.Decimal("0.04") + decimal.Decimal(memory[1]) / {"M": 1024, "G": 1}[memory[2]] * decimal.Decimal("0.002")
    total += (decimal.Decimal(seconds) * rate / 3600).quantize(decimal.Decimal("0.000001"), decimal.ROUND_HALF_EVEN)
print(total)' "${2:-}"
}

used() { balance "$1" used; }

# is_sum A B...: whether A is the sum of the others, however jq and python write them.
is_sum() { python3 -c 'import sys; from decimal import Decimal as D; a, *b = map(D, sys.argv[1:]); sys.exit(a != sum(b))' "$@"; }

# again JOB: a requeued job waits two minutes; not this one.
again() {
  wait_for_job "$1" PENDING
  onprem scontrol update "JobId=$1" StartTime=now
  wait_for_job "$1" RUNNING
  sleep 2
}

@test "scontrol requeue: each run is charged, and the hold is whole again for the next one" {
  job=$(run_sbatch -A proj001 -p cpu -t 10 --mem=1024 --wrap 'sleep 300')
  held=$(balance proj001 held)
  wait_for_job "$job" RUNNING
  sleep 2
  for run in 1 2; do
    onprem scontrol requeue "$job"
    wait_until 30 entries_are "$job" charge $run
    wait_until 10 held_is "$held"
    entries_are "$job" hold $run # the first was placed before there was a job
    again "$job"
  done
  onprem scancel "$job"
  wait_until 30 held_is 0
  entries_are "$job" charge 3
  is_sum "$(used proj001)" "$(cost_of "$job")"
}

@test "requeued, held, and cancelled before it ran again: the run that never was costs nothing" {
  before=$(used proj001)
  job=$(run_sbatch -A proj001 -p cpu -t 10 --mem=1024 --wrap 'sleep 300')
  held=$(balance proj001 held)
  wait_for_job "$job" RUNNING
  sleep 1
  onprem scontrol requeuehold "$job"
  wait_until 30 entries_are "$job" charge 1
  two_passes "$job"
  held_is "$held"
  onprem scancel "$job"
  wait_until 30 held_is 0
  entries_are "$job" charge 1
  is_sum "$(used proj001)" "$before" "$(cost_of "$job")"
}

@test "a task of an array is requeued by itself" {
  array=$(run_sbatch -A proj001 -p cpu -t 10 --mem=1024 --array=0-1 --wrap 'sleep 300')
  held=$(balance proj001 held)
  wait_for_job "${array}_1" RUNNING
  sleep 1
  onprem scontrol requeue "${array}_1"
  wait_until 30 entries_are "$array" charge 1
  wait_until 10 held_is "$held"
  onprem scancel "$array"
  wait_until 30 held_is 0
  asbb audit verify
}

@test "a node fails: the run is written off, and the next one has money" {
  before=$(used proj001)
  job=$(run_sbatch -A proj001 -p cpu -t 10 --mem=1024 -w cpu-2 --wrap 'sleep 300')
  held=$(balance proj001 held)
  wait_for_job "$job" RUNNING
  sleep 1
  onprem scontrol update NodeName=cpu-2 State=DOWN Reason=test
  wait_until 30 entries_are "$job" write_off_out 1
  held_is "$held"
  [ "$(used proj001)" = "$before" ]
  is_sum "$(used overhead)" "$(cost_of "$job" NODE_FAIL)"
  onprem scontrol update NodeName=cpu-2 State=RESUME || true # slurmd may have said that it is up
  onprem scancel "$job"
  wait_until 30 held_is 0
  [ "$(used proj001)" = "$before" ]
}

@test "preempted: the run is charged, and the next one has money" {
  before=$(used proj001)
  onprem scontrol update PartitionName=open PriorityTier=10
  job=$(run_sbatch -A proj001 -p cpu -w cpu-1 --exclusive -t 10 --mem=1024 --wrap 'sleep 300')
  held=$(balance proj001 held)
  wait_for_job "$job" RUNNING
  sleep 2
  other=$(run_sbatch -A proj001 -p open -w cpu-1 --exclusive -t 1)
  wait_for_job "$other" COMPLETED
  wait_until 30 entries_are "$job" charge 1
  wait_until 10 held_is "$held"
  again "$job"
  onprem scancel "$job"
  wait_until 30 held_is 0
  entries_are "$job" charge 2
  [ "$(cost_of "$job" PREEMPTED)" != 0 ]
  is_sum "$(used proj001)" "$before" "$(cost_of "$job")"
}

@test "without money for the next run it is shown as uncovered, until there is some" {
  job=$(run_sbatch -A proj001 -p cpu -t 10 --mem=1024 --wrap 'sleep 300')
  held=$(balance proj001 held)
  wait_for_job "$job" RUNNING
  sleep 2
  asbb withdraw proj001 --amount="$(balance proj001 available)" --reason="nothing is left"
  [ "$(balance proj001 available)" = 0 ]
  onprem scontrol requeue "$job"
  shown() { [[ $(asbb service status) == *"job $job was requeued and is not covered"* ]]; }
  wait_until 30 shown
  [ "$(balance proj001 held)" != "$held" ]
  asbb deposit proj001 --amount=5 --reason="more money"
  wait_until 20 held_is "$held"
  run shown
  [ "$status" != 0 ]
  onprem scancel "$job"
  wait_until 30 held_is 0
  asbb audit verify
}

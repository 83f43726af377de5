#!/usr/bin/env bats
# asbb submit on a federation of which one cluster is counted in core-hours and the other in dollars: what reaches sbatch, and
# where the job goes. proj001 can pay both, nih-r01 dollars alone.

load helpers

setup_file() {
  local programs year account
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
  - {cluster: cloud, partition: aws-cpu, unit: USD, basis: tres, per_core_hour: 0.085}
END
  asbb prices import "$GATE/prices.yaml"
  for account in proj001 nih-r01; do
    asbb account create --name=$account --budget=100 --start="$year-01-01" --end="$year-12-31"
  done
  asbb account update proj001 --unit=core-hours --budget=1000 --start="$year-01-01" --end="$year-12-31"
  wait_until 30 grep -q '^partition cpu deny' "$BED_RUN/policy.onprem"
  wait_until 30 grep -q '^partition aws-cpu deny' "$BED_RUN/policy.cloud"
}

teardown_file() { gate_down; }

# submit OPTION...: standard output in $output, exit code in $status, standard error in $said.
submit() {
  run --separate-stderr asbb submit "$@"
  said=$stderr
  printf 'exit code %s\nout: %s\nerr: %s\n' "$status" "$output" "$said"
}
bats_require_minimum_version 1.5.0

job_of() { sed -n 's/.*[^0-9]\([0-9]\{6,\}\).*/\1/p;s/^\([0-9]\{6,\}\).*/\1/p' <<<"$1" | head -n 1; }
script_of() { "$2" scontrol write batch_script "$1" -; }

# All that the ledger set aside for the newest job, as ACCOUNT UNIT AMOUNT.
newest_hold() {
  asbb transactions --type=hold --limit=5 --output json |
    jq -r '.[0].transaction_id as $newest | .[] | select(.transaction_id == $newest) | "\(.account) \(.unit) \(.amount)"'
}

holds() { [ "$(of_unit proj001 "$1" held)" = "$2" ]; }

@test "without a flag a job goes to whichever has it first: quoted and held in both units" {
  submit -A proj001 -t 60 -H -o /dev/null --wrap true
  [ "$status" = 0 ]
  [[ $output =~ ^Submitted\ batch\ job\ [0-9]+$ ]]
  [[ $said == *"1.00 core-hours"* ]]
  [[ $said == *'$0.085'* ]]
  [ "$(newest_hold | sort | paste -sd,)" = "proj001 USD 0.102,proj001 core-hours 1.2" ]
  onprem scancel "$(job_of "$output")"
  wait_until 60 holds USD 0
  wait_until 10 holds core-hours 0
}

@test "quotes, blanks and dollars of --wrap reach the job as they were typed" {
  submit --cloud -A proj001 -H -t 5 -J 'two  words' -o /dev/null --wrap 'echo "a  b" $HOME '"'c d'"' \\ ; true # --cheapest'
  [ "$status" = 0 ]
  [[ $output == "Submitted batch job "*" on cluster cloud" ]]
  [[ $said == *"cloud is chosen"* ]]
  job=$(job_of "$output")
  script_of "$job" cloud | grep -F 'echo "a  b" $HOME '"'c d'"' \\ ; true # --cheapest'
  [ "$(cloud squeue -h -j "$job" -o %j)" = "two  words" ]
  cloud scancel "$job"
}

@test "the #SBATCH lines of a script count, by its name, from a pipe and from a process" {
  printf '#!/bin/sh\n#SBATCH -A proj001 -t 60 --hold\n#SBATCH --ntasks=2 --output="/dev/null"\nhostname "$@"\n' >"$GATE/job.sh"
  submit --onprem "$GATE/job.sh" 'an argument' --cloud
  [ "$status" = 0 ]
  [[ $said == *"onprem: 2.00 core-hours at most, 2.40 core-hours to be held"* ]]
  [[ $said == *'cloud: $0.17 at most, $0.204 to be held'* ]]
  first=$(job_of "$output")
  [ "$(script_of "$first" onprem | tail -n 1)" = 'hostname "$@"' ]
  submit --onprem <"$GATE/job.sh"
  [[ $said == *"2.00 core-hours at most"* ]]
  second=$(job_of "$output")
  submit --onprem <(cat "$GATE/job.sh")
  [[ $said == *"2.00 core-hours at most"* ]]
  third=$(job_of "$output")
  [ "$(onprem squeue -h -j "$second,$third" -o '%C %T' | sort -u)" = "2 PENDING" ]
  onprem scancel "$first" "$second" "$third"
}

@test "--parsable prints what sbatch prints and nothing else, and the exit code is sbatch's" {
  submit --cheapest --cluster=onprem
  [ "$status" = 2 ]
  submit --cloud --parsable -A proj001 -t 5 -o /dev/null -W --wrap 'exit 3'
  [ "$status" = 3 ]
  [[ $output == [0-9]*";cloud" ]]
  [[ $'\n'$said != *$'\n'"asbb:"* ]] # "sbatch: asbb: held ..." is the plugin's
  run sbatch -A proj001 -t 5 --begin=never --wrap true
  refusal=$status
  [ "$refusal" != 0 ]
  submit --cloud --quiet -A proj001 -t 5 --begin=never --wrap true
  [ "$status" = "$refusal" ]
  [[ $said == *"sbatch: error"* ]]
  [[ $'\n'$said != *$'\n'"asbb:"* ]]
}

@test "--cheapest needs a rate between the units, then takes the cheaper one" {
  submit --cheapest -A proj001 -t 60 -H -o /dev/null --wrap true
  [ "$status" = 1 ]
  [[ $said == *"no rate between USD and core-hours is in force"* ]]
  asbb rates set core-hours USD 0.05
  submit --cheapest -A proj001 -t 60 -H -o /dev/null --wrap true
  [ "$status" = 0 ]
  [[ $said == *'onprem is chosen: it is the cheapest: $0.05 against $0.085 on cloud, by the rates in force'* ]]
  onprem scancel "$(job_of "$output")"
  asbb rates set core-hours USD 0.2
  submit --cheapest -A proj001 -t 60 -H -o /dev/null --wrap true
  [[ $output == *"on cluster cloud" ]]
  cloud scancel "$(job_of "$output")"
  asbb rates set core-hours USD 0.085
  submit --cheapest --dry-run -A proj001 -t 60 --wrap true
  [[ $said == *"(a tie, which on premises wins)"* ]]
  [ "$output" = "sbatch --clusters=onprem --account=proj001 -t 60 --wrap true" ]
  # One without the partition does not count as free.
  submit --cheapest --dry-run -A proj001 -t 60 -p aws-cpu --wrap true
  [[ $said == *"onprem: not now: Partition 'aws-cpu' is not known on cluster 'onprem'."* ]]
  [[ $output == "sbatch --clusters=cloud "* ]]
}

@test "--soonest asks both controllers, and goes where a node is free" {
  for _ in 1 2; do run_sbatch -M onprem -A proj001 -p cpu --exclusive -t 120 --wrap 'sleep 600'; done
  full() { [ "$(onprem squeue --local -h -t R -o %i | wc -l)" = 2 ]; }
  wait_until 30 full
  submit --soonest -A proj001 -t 30 --exclusive -o /dev/null --wrap true
  [ "$status" = 0 ]
  [[ $output == *"on cluster cloud" ]]
  [[ $said == *"cloud is chosen: it would start in "*", on onprem in 1 h 59 min"* || $said == *"on onprem in 2 h"* ]]
  cloud scancel "$(job_of "$output")"
  onprem scancel -u "$(id -un)"
}

@test "no account given is the user's default one" {
  [ "$(sacctmgr -nP show user "$(id -un)" format=DefaultAccount)" = proj001 ]
  submit --cluster=cloud -H -t 5 -o /dev/null --wrap true
  [ "$status" = 0 ]
  job=$(job_of "$output")
  [ "$(cloud squeue -h -j "$job" -o %a)" = proj001 ]
  cloud scancel "$job"
}

@test "refused in one unit and paid in the other, with the line that works" {
  submit --onprem -A nih-r01 -t 60 -o /dev/null --wrap 'echo "a b"'
  [ "$status" = 3 ]
  [ -z "$output" ]
  [[ $said == *'The account has $'*' left on cloud: sbatch -M cloud ...'* ]]
  line=$(sed -n 's/.*: \(asbb submit --cluster=cloud.*\)/\1/p' <<<"$said")
  [ "$line" = "asbb submit --cluster=cloud --account=nih-r01 -t 60 -o /dev/null --wrap 'echo \"a b\"'" ]
  run bash -c "$line"
  [ "$status" = 0 ]
  [[ $output == *"on cluster cloud"* ]]
  cloud scancel "$(job_of "$output")"
  # sbatch itself says so too.
  run run_sbatch -M onprem -A nih-r01 -t 60
  echo "$output"
  [ "$status" != 0 ]
  [[ $output == *'left on cloud: sbatch -M cloud'* ]]
}

@test "sbatch --cloud: only clusters with that feature, and only their unit is held" {
  job=$(run_sbatch --cloud -A proj001 -t 60 -H)
  siblings=$(squeue -M onprem -a --json | jq -r --argjson job "$job" '.jobs[] | select(.job_id == $job) | .federation_siblings_viable')
  [ "$siblings" = cloud ]
  [ "$(newest_hold)" = "proj001 USD 0.102" ]
  onprem scancel "$job"
}

@test "sbatch --budget: this account pays, not the user's default one" {
  [ "$(sacctmgr -nP show user "$(id -un)" format=DefaultAccount)" = proj001 ]
  job=$(run_sbatch --cloud --budget=nih-r01 -t 60 -H)
  [ "$(onprem squeue -h -j "$job" -o %a | sort -u)" = nih-r01 ]
  [ "$(newest_hold)" = "nih-r01 USD 0.102" ]
  onprem scancel "$job"
}

@test "an account that Slurm has on one cluster alone goes there, whatever is cheaper" {
  asbb rates set core-hours USD 0.2
  year=$(date -u +%Y)
  asbb account create --name=here001 --budget=100USD --budget=100core-hours --start="$year-01-01" --end="$year-12-31"
  sacctmgr -iQ add account here001 cluster=onprem
  sacctmgr -iQ add user "$(id -un)" account=here001 cluster=onprem
  for flag in --cheapest --soonest --onprem; do
    goes_there() {
      submit $flag -A here001 -t 60 -H -o /dev/null --wrap true
      [ "$status" = 0 ]
    }
    wait_until 60 goes_there
    submit $flag -A here001 -t 60 -H -o /dev/null --wrap true
    [[ $said == *onprem* ]]
    [ "$(onprem squeue --local -h -j "$(job_of "$output")" -o %a)" = here001 ]
    [ "$(newest_hold)" = "here001 core-hours 1.2" ]
  done
  for flag in --cloud --cluster=cloud; do
    submit $flag -A here001 -t 60 -H -o /dev/null --wrap true
    [ "$status" = 3 ]
    [ -z "$output" ]
    [[ $said == *$'\n'"asbb: You may not use account 'here001' on cluster 'cloud', or there is no such account."* ]]
    [[ $said == *"onprem can take it, "*": asbb submit --cluster=onprem --account=here001 -t 60 -H -o /dev/null --wrap true"* ]]
  done
  [ -z "$(cloud squeue --local -h -a -t all -A here001 -o %i)" ]
  # Slurm asks the other cluster, which refuses.
  submit -A here001 -t 5 -o /dev/null --wrap 'sleep 2'
  [ "$status" = 0 ]
  job=$(job_of "$output")
  wait_for_job "$job" COMPLETED onprem
  [ -z "$(cloud squeue --local -h -a -t all -A here001 -o %i)" ]
  onprem scancel --account=here001
  here_holds() { of_unit here001 USD held && of_unit here001 core-hours held; }
  nothing_held() { [ "$(here_holds | sort -u)" = 0 ]; }
  wait_until 60 nothing_held
  [ "$(of_unit here001 USD used)" = 0 ]
  [ "$(asbb transactions here001 --job="$job" --type=charge --output json | jq -r '.[].unit' | sort -u)" = core-hours ]
}

@test "a cluster that nobody knows is told, with the nearest" {
  submit --cluster=clod -A proj001 --wrap true
  [ "$status" = 2 ]
  [[ $said == *"did you mean 'cloud'?"* ]]
}

@test "without the service a named cluster gets the job, and its controller decides; a choice fails" {
  service_stop "$GATE"
  submit --cheapest -A proj001 -t 5 --wrap true
  [ "$status" = 1 ]
  [[ $said == *"cannot be chosen"* ]]
  submit --cluster=onprem -A proj001 -p quiet -H -t 5 -o /dev/null --wrap true
  [ "$status" = 0 ]
  [[ $said == *"does not answer, so there is no quote"* ]]
  onprem scancel "$(job_of "$output")"
  service_start "$GATE"
}

#!/usr/bin/env bats
# Accounts that run dry while their jobs run, on real Slurm: new jobs are refused, jobs that run are signalled, cancelled or moved.

load helpers

setup_file() {
  gate_up
  cat >>"$GATE/config.yaml" <<'END'
enforcement:
  accounts:
    proj001: [warn, stop_new, {signal: USR1, grace: 3s}, cancel]
    nih-r01: [warn, stop_new, {requeue: quiet}, cancel]
END
  again
}
teardown_file() { gate_down; }
teardown() {
  explain_failure
  onprem scancel -u "$(id -un)"
}

# again [VARIABLE=VALUE...]: the service starts again.
again() {
  service_stop "$GATE"
  env "$@" bash -c '. "$0" && service_run "$1"' "$SLURM_TESTS/lib/service.bash" "$GATE"
  wait_until 30 prices_jobs
}

prices_jobs() { [[ $(asbb quote -- -A proj001 -p cpu -t 1 2>&1) == *'$'* ]]; }

# steps ACCOUNT: what was done, in order.
steps() { asbb transactions "$1" --type=enforcement --output json | jq -c '[.[].description] | reverse'; }
steps_are() { [ "$(steps "$1")" = "$2" ]; }

# dry ACCOUNT: a cent beyond its limit.
dry() {
  asbb adjust "$1" --amount="$(python3 -c "from decimal import Decimal as D; print(D('$(balance "$1" available)') + D('0.01'))")" \
    --reason="a late invoice"
}

alarm() { [[ $(asbb service status) == *"$1"* ]]; }
quiet() { [[ $(asbb service status) != *"has run dry"* ]]; }

@test "new jobs are refused; one that runs gets a signal, and is cancelled after the grace, across a restart" {
  job=$(run_sbatch -A proj001 -p cpu -t 10 --mem=512 --wrap "trap 'echo told >>$BED/told' USR1; while :; do sleep 0.1; done")
  wait_for_job "$job" RUNNING
  sleep 0.5 # until the script has its trap
  dry proj001
  wait_until 10 alarm "account proj001 has run dry"
  run run_sbatch -A proj001 -p cpu -t 1 --mem=100
  [ "$status" -ne 0 ]
  [[ $output == *"account proj001 has run dry: its running jobs need \$0.01 more than there is"* ]]
  [[ $output == *"use a partition without a price"* ]]
  free=$(run_sbatch -A proj001 -p quiet)
  wait_until 10 grep -q told "$BED/told"
  again
  wait_for_job "$job" CANCELLED onprem 20
  [ "$(wc -l <"$BED/told")" = 1 ]
  started=$(asbb transactions proj001 --type=enforcement --output json | jq -r '.[] | select(.description | startswith("Send")) | .created_at')
  ended=$(accounting "$job" End)
  [ $(($(date -d "$ended" +%s) - $(date -d "$started" +%s))) -ge 3 ]
  wait_for_job "$free" COMPLETED
  wait_until 15 steps_are proj001 "[\"The account ran dry: \$0.01 missing.\",\"New jobs stopped.\",\"Send USR1 to job $job.\",\"Cancel job $job.\",\"The account has money again, or none of its jobs runs.\",\"New jobs pass where there is money.\"]"
  quiet
  asbb deposit proj001 --amount=5 --reason="more money"
  run_sbatch -A proj001 -p cpu -t 1 --mem=100
}

@test "a job is requeued to a partition without a price, where it runs" {
  job=$(run_sbatch -A nih-r01 -p cpu -t 10 --mem=512 --wrap 'sleep 300')
  wait_for_job "$job" RUNNING
  dry nih-r01
  moved() { onprem scontrol show job "$job" | grep -q 'Partition=quiet'; }
  wait_until 20 moved
  wait_until 10 onprem scontrol update "JobId=$job" StartTime=now # it would wait for two minutes
  wait_for_job "$job" RUNNING
  moved
  given_back() { [ "$(balance nih-r01 held)" = 0 ]; }
  wait_until 15 given_back
  wait_until 15 steps_are nih-r01 "[\"The account ran dry: \$0.01 missing.\",\"New jobs stopped.\",\"Requeue job $job to partition quiet.\",\"Requeue job $job to partition quiet: done.\",\"The account has money again, or none of its jobs runs.\",\"New jobs pass where there is money.\"]"
  asbb deposit nih-r01 --amount=5 --reason="more money"
  two_passes "$job"
  moved
  asbb audit verify
}

# last_steps ACCOUNT COUNT: the last ones, in order.
last_steps() { steps "$1" | jq -c ".[-$2:]"; }
last_steps_are() { [ "$(last_steps "$1" "$2")" = "$3" ]; }

@test "a het job is one job: one signal and one cancellation for all of its components" {
  rm -f "$BED/told"
  job=$(run_sbatch -A proj001 -p cpu -t 10 --mem=256 : -p cpu --mem=256 \
    --wrap "trap 'echo told >>$BED/told' USR1; while :; do sleep 0.1; done")
  wait_for_job "$job" RUNNING
  wait_for_job "$((job + 1))" RUNNING
  sleep 0.5
  dry proj001
  wait_until 15 grep -q told "$BED/told"
  wait_for_job "$job" CANCELLED onprem 20
  wait_for_job "$((job + 1))" CANCELLED onprem 20
  wait_until 15 last_steps_are proj001 6 "[\"The account ran dry: \$0.01 missing.\",\"New jobs stopped.\",\"Send USR1 to job $job.\",\"Cancel job $job.\",\"The account has money again, or none of its jobs runs.\",\"New jobs pass where there is money.\"]"
  [ "$(wc -l <"$BED/told")" = 1 ]
  nothing_held() { [ "$(balance proj001 held)" = 0 ]; }
  wait_until 15 nothing_held
  asbb deposit proj001 --amount=5 --reason="more money"
}

# Slurm would have its origin requeue it, where it waits under another cluster's name: the next step is taken.
@test "a federated job that runs on another cluster is not requeued but cancelled there" {
  job=$(run_sbatch -A nih-r01 -t 10 --mem=256 --cluster-constraint=cloud --wrap 'sleep 300')
  wait_for_job "$job" RUNNING cloud
  dry nih-r01
  wait_for_job "$job" CANCELLED cloud 20
  wait_until 15 last_steps_are nih-r01 5 "[\"The account ran dry: \$0.01 missing.\",\"New jobs stopped.\",\"Cancel job $job.\",\"The account has money again, or none of its jobs runs.\",\"New jobs pass where there is money.\"]"
  given_back() { [ "$(balance nih-r01 held)" = 0 ]; }
  wait_until 15 given_back
  asbb deposit nih-r01 --amount=5 --reason="more money"
  asbb audit verify
}

@test "switched off, nothing happens" {
  again ASBB_ENFORCEMENT_ENABLED=false
  before=$(steps proj001)
  job=$(run_sbatch -A proj001 -p cpu -t 10 --mem=512 --wrap 'sleep 300')
  wait_for_job "$job" RUNNING
  dry proj001
  two_passes "$job"
  job_is "$job" onprem RUNNING
  steps_are proj001 "$before"
  quiet
  run run_sbatch -A proj001 -p cpu -t 1 --mem=100
  [[ $output == *"is available in the budget of account proj001"* ]]
}

# The stage of tools/demo: how it builds, starts, speaks, checks and stops. Sourced by tools/demo from the project's folder.
# shellcheck shell=bash disable=SC2154,SC2034 # variables are shared with tools/demo and its stories

. tests/slurm/lib/service.bash

demo=$project/.demo
# Programs that are built already may be named, as the tests do.
build=${ASBB_BUILD_DIR:-$project/build}
bed=$demo/bed
output=$demo/output
last_job=

if [[ -t 1 ]]; then bold=$(tput bold 2>/dev/null || true) plain=$(tput sgr0 2>/dev/null || true); else bold='' plain=''; fi

chapter() { printf '\n%s== %s%s\n' "$bold" "$*" "$plain"; }

broken() {
  printf '\n!! %s\n' "$*" >&2
  exit 1
}

demo_build() {
  chapter "Building"
  mkdir -p "$demo"
  [[ -z ${ASBB_BUILD_DIR:-} ]] || return 0
  if ! { cmake --preset release && cmake --build --preset release; } >"$demo/build.log" 2>&1; then
    tail -n 40 "$demo/build.log" >&2
    broken "the build failed; all of it is in $demo/build.log"
  fi
  echo "build/bin/asbb, build/bin/asbb-service, build/lib/slurm/job_submit_budget.so"
}

demo_start() {
  chapter "Starting munge, MariaDB, slurmdbd, two federated clusters and the budget service, on loopback"
  demo_stop >/dev/null
  rm -rf "$demo/asbb"
  tests/slurm/bed up "$bed" --plugin "$build/lib/slurm/job_submit_budget.so" \
    --plugstack "budget_service_url=http://localhost:@PORT@ socket=@SOCKET@ ${DEMO_PLUGIN_ARGUMENTS:-}"
  eval "$(tests/slurm/bed env "$bed")"
  export PATH=$build/bin:$PATH
  service_start "$demo/asbb" || broken "the budget service does not start"
  grep -h . "$bed/etc/onprem/plugstack.conf"
  grep -h '^JobSubmitPlugins' "$bed/etc/onprem/slurm.conf"
}

# wait_for SECONDS COMMAND...
wait_for() {
  local tries=$(($1 * 5))
  shift
  while ! "$@" >/dev/null 2>&1; do
    tries=$((tries - 1))
    [[ $tries -gt 0 ]] || return 1
    sleep 0.2
  done
}

speak() {
  local word
  printf '\n%s$' "$bold"
  for word in "$@"; do
    case $word in
    *[!A-Za-z0-9_=./:,+-]* | '') printf " '%s'" "$word" ;;
    *) printf ' %s' "$word" ;;
    esac
  done
  printf '%s\n' "$plain"
}

# run COMMAND...: shows it and what came back; it must succeed.
run() {
  speak "$@"
  "$@" >"$output" 2>&1 || {
    cat "$output"
    broken "that should have worked"
  }
  cat "$output"
  last_job=$(sed -n 's/^Submitted batch job \([0-9]*\).*/\1/p' "$output")
}

# ends_with CODE COMMAND...: shows it and what came back; it must end with that exit code.
ends_with() {
  local code=$1 have=0
  shift
  speak "$@"
  "$@" >"$output" 2>&1 || have=$?
  cat "$output"
  [[ $have == "$code" ]] || broken "that should have ended with exit code $code, not $have"
}

# refused COMMAND...: shows it and what came back; it must fail.
refused() {
  speak "$@"
  if "$@" >"$output" 2>&1; then
    cat "$output"
    broken "that should have been refused"
  fi
  cat "$output"
}

says() { grep -qF -- "$1" "$output" || broken "the answer does not say '$1'"; }

says_no_figure() {
  if grep -E '^sbatch: error: asbb' "$output" | grep -q '[0-9]\.[0-9]'; then
    broken "the answer tells a figure"
  fi
}

# Somebody who has no association with the account: another user as root, oneself with another's account else.
if [[ $(id -u) -eq 0 ]]; then
  strangers_account=proj001
  as_stranger=(runuser -u games --)
else
  strangers_account=proj002
  as_stranger=()
fi

# held ACCOUNT UNIT AMOUNT
held() {
  local have
  have=$(of_unit "$1" "$2" held)
  [[ $have == "$3" ]] || broken "$1 should have $3 $2 held, it has $have"
}

# nothing_held ACCOUNT...: in any unit.
nothing_held() {
  local account
  for account in "$@"; do
    asbb account show "$account" --output json | jq -e '[.budgets[].held] | all(. == 0)' || return 1
  done
}

# settled_within SECONDS JOB TYPES...: since its end the ledger has an entry of each type for that job.
settled_within() {
  local seconds=$1 job=$2 began
  shift 2
  wait_for 120 job_ended "$job" || broken "job $job does not end"
  began=$SECONDS
  wait_for "$seconds" has_entries "$job" "$@" || broken "$seconds s after its end job $job has no $*"
  echo "job $job: $* within $((SECONDS - began + 1)) s of its end"
}

job_ended() { ! squeue -M onprem,cloud -h -j "$1" -o %T 2>/dev/null | grep -qE 'PENDING|RUNNING|CONFIGURING|COMPLETING'; }

has_entries() {
  local job=$1 type
  shift
  for type in "$@"; do
    asbb transactions --job="$job" --type="$type" --output json | jq -e 'length == 1' || return 1
  done
}

# everything_is_settled ACCOUNT...
everything_is_settled() {
  local account
  echo
  echo "waiting until every job has ended and is charged ..."
  wait_for 120 nothing_held "$@" && return
  for account in "$@"; do asbb account show "$account"; done
  squeue -M onprem,cloud -a -t all
  tail -n 20 "$demo/asbb/service.log"
  broken "money is still held after two minutes"
}

# charges_agree PRICES ACCOUNT...: every charge is what sacct and the prices make of the job, by a program that shares no code
# with asbb.
charges_agree() {
  local prices=$1 account files=()
  shift
  sacct -M onprem,cloud -D -X -P -n --noconvert -a -S now-1day -A "$(
    IFS=,
    echo "$*"
  )" --format=Cluster,JobID,Partition,State,ElapsedRaw,Start,AllocTRES,NodeList >"$demo/sacct.txt"
  for account in "$@"; do
    files+=("$demo/transactions-$account.json")
    asbb transactions "$account" --limit=10000 --output json >"${files[-1]}"
  done
  run tests/slurm/verify_charges "$prices" "$demo/sacct.txt" "${files[@]}"
  nothing_held "$@" >"$output" || broken "money is still held"
}

demo_stop() {
  service_stop "$demo/asbb"
  [[ ! -d $bed ]] || tests/slurm/bed down "$bed" --wipe
}

demo_ended() {
  local status=$1
  if [[ $status -eq 0 ]] && $keep; then return; fi
  if [[ $status -ne 0 ]] && $keep; then
    echo "it is left running, to look at; tools/demo --stop ends it" >&2
    return
  fi
  demo_stop
  if [[ $status -eq 0 ]]; then
    chapter "All of it held. Everything is stopped."
  fi
}

demo_says_how_to_look_around() {
  cat <<END

It is left running. In this folder:

    eval "\$(tests/slurm/bed env $bed)"
    export PATH=$build/bin:\$PATH ASBB_CONFIG_FILE=$ASBB_CONFIG_FILE
    sbatch -A proj001 -t 10 --wrap 'sleep 20'     # or -M cloud -p aws-cpu
    asbb account show proj001
    asbb transactions proj001
    squeue -M onprem,cloud

    tools/demo --stop
END
}

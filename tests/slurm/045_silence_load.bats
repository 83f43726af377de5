#!/usr/bin/env bats
# Twenty submitters while the budget service is gone, hangs or refuses connections: once the breaker is open the
# controller accepts jobs as quickly as without the plugin; what it let through is found and charged, once.
#
# The rule for noise: runs with and without the plugin alternate, and their medians are compared. The plugin may cost
# 5 %, or as much as the runs without it differ among themselves, where the machine is that restless, and
# never half of the rate: one wait for the service in each submission would cost nine tenths.

load helpers

setup_file() {
  GATE_PLUGIN_ARGUMENTS=timeout_ms=50 gate_up
  PATH=$(programs_folder)/tests:$PATH
}
teardown_file() { gate_down; }

pairs=5
jobs_a_run=200

plugin_is() { # on|off
  sed -i '/^JobSubmitPlugins=/d' "$BED/etc/onprem/slurm.conf"
  [ "$1" = off ] || echo JobSubmitPlugins=budget >>"$BED/etc/onprem/slurm.conf"
  scontrol reconfigure
}

rate() {
  submit_load --processes=20 --count="$jobs_a_run" account=proj001 partition=quiet time_limit=5 priority=0 \
    2>>"$GATE/submitters.log" | sed 's/.* rate //'
}

# Three silences open the breaker, for five seconds at least.
open_breaker() {
  for _ in 1 2 3 4; do run_sbatch -A proj001 -p quiet -t 5 -H >/dev/null; done
}

median() { printf '%s\n' "$@" | sort -n | sed -n "$((($# + 1) / 2))p"; }

as_fast_as_without() {
  local with=() without=() pair
  for ((pair = 0; pair < pairs; pair++)); do
    plugin_is off
    without+=("$(rate)")
    plugin_is on
    open_breaker
    with+=("$(rate)")
  done
  squeue -h -a -t PD -o %A | xargs -r scancel
  echo "without: ${without[*]} with: ${with[*]}"
  awk -v with="$(median "${with[@]}")" -v without="$(median "${without[@]}")" \
    -v least="$(printf '%s\n' "${without[@]}" | sort -n | head -n 1)" \
    -v most="$(printf '%s\n' "${without[@]}" | sort -n | tail -n 1)" \
    -v slowest="$(printf '%s\n' "${with[@]}" | sort -n | head -n 1)" \
    -v fastest="$(printf '%s\n' "${with[@]}" | sort -n | tail -n 1)" 'BEGIN {
      spread = (most - least) / without
      if ((fastest - slowest) / with > spread) spread = (fastest - slowest) / with
      allowed = spread > 0.05 ? spread : 0.05
      if (allowed > 0.5) allowed = 0.5
      printf "# %.3f of the rate without; allowed to lose %.3f\n", with / without, allowed >"/dev/fd/3"
      exit !(with >= (1 - allowed) * without)
    }'
}

@test "SIGSTOPped: twenty submitters are as fast as without the plugin" {
  kill -STOP "$(cat "$GATE/service.pid")"
  as_fast_as_without
  kill -CONT "$(cat "$GATE/service.pid")"
}

@test "refusing: the same" {
  kill -9 "$(cat "$GATE/service.pid")"
  [ -S "$BED_SERVICE_SOCKET" ]
  as_fast_as_without
}

@test "gone: the same" {
  rm -f "$BED_SERVICE_SOCKET"
  as_fast_as_without
}

@test "what was let through is found, and charged once each" {
  service_stop "$GATE"
  sed -i 's/^partition cpu deny/partition cpu allow/' "$BED_RUN/policy.onprem"
  sleep 2
  open_breaker
  run submit_load --processes=20 --count=40 account=proj001 partition=cpu time_limit=2 name=let-through \
    script=$'#!/bin/sh\nsleep 3\n'
  echo "$output"
  [[ $output == *"accepted 40 refused 0"* ]]
  all_over() { [ -z "$(squeue -h -a -t PD,R,CG -n let-through -o %A)" ]; }
  wait_until 120 all_over
  service_run "$GATE"
  settled() {
    asbb transactions proj001 --limit=10000 --output json >"$GATE/after.json"
    [ "$(jq '[.[] | select(.type == "overrun" or .type == "charge") | .job_id] | length' "$GATE/after.json")" -ge 40 ]
  }
  wait_until 120 settled
  sleep 9
  settled
  jq -e '[.[] | select(.type == "overrun" or .type == "charge") | .job_id] | length == 40 and (unique | length == 40)' "$GATE/after.json"
  [ "$(balance proj001 held)" = 0 ]
  run asbb audit verify
  [ "$status" = 0 ]
}

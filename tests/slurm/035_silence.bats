#!/usr/bin/env bats
# A budget service that hangs or is gone: the controller goes on as if nothing were, with the deadline of real life.

load helpers

setup_file() { GATE_PLUGIN_ARGUMENTS=timeout_ms=50 gate_up; }
teardown_file() { gate_down; }

# took_ms COMMAND...: how long it took; its exit code is in STATUS, what it said in SAID.
took_ms() {
  local started
  started=$(date +%s%N)
  STATUS=0
  SAID=$("$@" 2>&1) || STATUS=$?
  TOOK_MS=$((($(date +%s%N) - started) / 1000000))
  echo "$TOOK_MS ms: $*"
}

# The bed answers a submission in some 50 ms; the rest is what a loaded machine may add. A call that waited for the service
# would take at least ten seconds: slurmctld's own patience.
normal_ms=1500

priced_is_denied_at_once() {
  took_ms run_sbatch -A proj001 -p cpu -t 5
  [ "$STATUS" != 0 ]
  [[ $SAID == *"asbb:"* ]]
  [ "$TOOK_MS" -lt "$normal_ms" ]
}

controller_is_normal() {
  took_ms run_sbatch -A proj001 -p quiet
  [ "$STATUS" = 0 ]
  [ "$TOOK_MS" -lt "$normal_ms" ]
  took_ms timeout 10 sinfo
  [ "$STATUS" = 0 ]
  [ "$TOOK_MS" -lt "$normal_ms" ]
}

@test "hanging (SIGSTOP): each submission is answered at once, before and after the breaker opens" {
  kill -STOP "$(cat "$GATE/service.pid")"
  for _ in 1 2 3 4 5; do
    priced_is_denied_at_once
    controller_is_normal
  done
  kill -CONT "$(cat "$GATE/service.pid")"
}

@test "stopped: the same" {
  service_stop "$GATE"
  for _ in 1 2 3 4 5; do
    priced_is_denied_at_once
    controller_is_normal
  done
  service_run "$GATE"
}

@test "back again: submissions are held by themselves, and nothing is left over from before" {
  held_again() { run_sbatch -A proj001 -p cpu -t 5 && [ "$(balance proj001 held)" != 0 ]; }
  wait_until 90 held_again
  nothing_held() { [ "$(balance proj001 held)" = 0 ]; }
  wait_until 120 nothing_held
  run asbb audit verify
  [ "$status" = 0 ]
}

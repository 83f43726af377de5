#!/usr/bin/env bats
# What a gate goes through that is nobody's job: a disk that fills up, Slurm's database that stands still, a user and an account
# that are gone before they are charged, an advisor that takes its time, and a clock that is wrong and steps back. After each
# every charge is what slurmdbd's rows cost, recomputed by a program that shares no code with asbb.

load ../helpers

setup_file() {
  [ "$(id -u)" = 0 ] || {
    echo "only root can mount a small disk" >&2
    return 1
  }
  export GATE_DISK_MB=16  # too small for a log that is made in advance
  gate_up
}
teardown_file() { gate_down; }
teardown() {
  rm -f "$GATE/ballast"
  kill -CONT "$(cat "$BED_RUN/mariadb.pid")"
  explain_failure
}

held_is() { [ "$(balance "${2:-proj001}" held)" = "$1" ]; }
entries() { asbb transactions "${3:-proj001}" --job="$1" --type="$2" --output json | jq length; }
entries_are() { [ "$(entries "$1" "$2" "${4:-proj001}")" = "$3" ]; }
accepted() { job=$(run_sbatch -A proj001 -p cpu -t 5 --wrap 'sleep 1'); }
# stops and goes on as configured.
restart() {
  service_stop "$GATE"
  service_run "$GATE"
}

ledger_is_sacct() {
  local account
  for account in proj001 nih-r01; do
    onprem sacct -M onprem -D -X -P -n --noconvert -a -S now-1day -A $account \
      --format=Cluster,JobID,Partition,State,ElapsedRaw,Start,AllocTRES,NodeList >"$GATE/sacct.txt"
    asbb transactions $account --limit=10000 --output json >"$GATE/entries.json"
    [ ! -s "$GATE/sacct.txt" ] ||
      "$SLURM_TESTS/verify_charges" "$SLURM_TESTS/../../examples/demo/prices.yaml" "$GATE/sacct.txt" "$GATE/entries.json"
  done
  asbb audit verify
}

@test "on a full disk nothing is granted, and what ended meanwhile is charged when there is room" {
  ran=$(run_sbatch -A proj001 -p cpu -t 5 --wrap 'sleep 3')
  wait_for_job "$ran" RUNNING
  cat /dev/zero >"$GATE/ballast" || true
  run run_sbatch -A proj001 -p cpu -t 5
  echo "$output"
  [ "$status" != 0 ]
  [[ $output == *"budget service"* ]]
  run asbb deposit proj001 --amount=1 --reason=test
  echo "$output"
  [ "$status" = 1 ]
  [[ $output == *"the disk or quota is full"* ]]
  not_healthy() { asbb service status | grep -q '^Ledger: NOT HEALTHY'; }
  not_healthy
  alarmed() { asbb service status | grep -q 'ledger: it cannot be written'; }
  wait_until 20 alarmed
  wait_for_job "$ran" COMPLETED
  sleep 4
  entries_are "$ran" charge 0
  rm "$GATE/ballast"
  mended() { ! not_healthy && ! alarmed; }
  wait_until 20 mended
  wait_until 60 entries_are "$ran" charge 1
  wait_until 60 accepted
  wait_until 60 entries_are "$job" charge 1
  wait_until 30 held_is 0
  ledger_is_sacct
}

@test "while Slurm's database stands still jobs are accepted and run, and are charged once when it goes on" {
  kill -STOP "$(cat "$BED_RUN/mariadb.pid")"
  first=$(run_sbatch -A proj001 -p cpu -t 5 --wrap 'sleep 1')
  wait_for_job "$first" COMPLETED
  second=$(run_sbatch -A proj001 -p cpu -t 5 --requeue --wrap 'sleep 30')
  wait_for_job "$second" RUNNING
  sleep 2
  scontrol requeue "$second"
  sleep 5
  entries_are "$first" charge 0
  run held_is 0
  [ "$status" != 0 ]
  kill -CONT "$(cat "$BED_RUN/mariadb.pid")"
  wait_until 60 entries_are "$first" charge 1
  wait_until 60 entries_are "$second" charge 1
  scancel "$second"
  wait_until 60 held_is 0
  ledger_is_sacct
}

@test "a user and an account that are gone before their job is charged pay all the same" {
  sacctmgr -iQ add account short parent=root cluster=onprem
  sacctmgr -iQ add user name=news account=short cluster=onprem
  asbb account create --name=short --budget=10 --start="$(date -u +%Y)-01-01" --end="$(date -u +%Y)-12-31"
  submits() { job=$(as_user news sbatch --parsable -o /dev/null -A short -p cpu -t 5 --wrap 'sleep 2'); }
  wait_until 60 submits
  wait_for_job "$job" RUNNING
  service_stop "$GATE"
  wait_for_job "$job" COMPLETED
  wait_for_accounting "$job" State COMPLETED
  sacctmgr -iQ delete user where name=news account=short cluster=onprem
  sacctmgr -iQ delete account where name=short cluster=onprem
  [ -z "$(sacctmgr -n -P show assoc where account=short format=Account)" ]
  service_run "$GATE"
  wait_until 60 entries_are "$job" charge 1 short
  wait_until 30 held_is 0 short
  [ "$(asbb transactions short --job="$job" --type=charge --output json | jq -r '.[].user')" = news ]
  onprem sacct -M onprem -D -X -P -n --noconvert -a -j "$job" \
    --format=Cluster,JobID,Partition,State,ElapsedRaw,Start,AllocTRES,NodeList >"$GATE/sacct.txt"
  asbb transactions short --output json >"$GATE/entries.json"
  "$SLURM_TESTS/verify_charges" "$SLURM_TESTS/../../examples/demo/prices.yaml" "$GATE/sacct.txt" "$GATE/entries.json"
}

@test "an advisor that takes its time holds nobody up: the price book's estimate is held" {
  cat >"$GATE/advisor.py" <<'PYTHON'
import http.server, sys, time
class Slow(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        open(sys.argv[1] + ".asked", "a").write("x")
        time.sleep(10)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"estimated_cost": 4.5}')
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Slow)
open(sys.argv[1], "w").write(str(server.server_port))
server.serve_forever()
PYTHON
  cp "$ASBB_CONFIG_FILE" "$GATE/before.yaml"
  /usr/bin/python3 "$GATE/advisor.py" "$GATE/advisor.port" >"$GATE/advisor.log" 2>&1 3>&- &
  advisor=$!
  wait_until 10 test -s "$GATE/advisor.port"
  printf 'advisor:\n  url: http://127.0.0.1:%s\n  timeout: 30s\n' "$(cat "$GATE/advisor.port")" >>"$ASBB_CONFIG_FILE"
  restart
  wait_until 60 accepted
  wait_until 60 held_is 0
  began=$(date +%s%N)
  job=$(run_sbatch -H -A proj001 -p cpu -t 50)
  took=$((($(date +%s%N) - began) / 1000000))
  echo "sbatch took $took ms"
  [ "$took" -lt 3000 ]
  [ -s "$GATE/advisor.port.asked" ]
  # as without an advisor
  slow=$(balance proj001 held)
  kill "$advisor"
  cp "$GATE/before.yaml" "$ASBB_CONFIG_FILE"
  restart
  again() { same=$(run_sbatch -H -A proj001 -p cpu -t 50); }
  wait_until 60 again
  held_is "$(jq -n "$slow * 2")"
  scancel "$job" "$same"
  wait_until 60 held_is 0
  ledger_is_sacct
}

@test "a service whose clock is wrong, and steps back, charges what slurmdbd says, and its time never goes back" {
  service_stop "$GATE"
  echo +1h >"$GATE/clock"
  # A sanitizer does not bear it: the program that is installed.
  PATH=$SLURM_TESTS/../../build/bin:$PATH LD_PRELOAD=$(echo /usr/lib/*/faketime/libfaketimeMT.so.1) FAKETIME_TIMESTAMP_FILE=$GATE/clock FAKETIME_NO_CACHE=1 \
    FAKETIME_DONT_FAKE_MONOTONIC=1 FAKETIME_DONT_RESET=1 service_run "$GATE"
  latest() { asbb transactions proj001 --limit=1 --output json | jq -r '.[].created_at | .[:19] + "Z" | fromdate'; }
  wait_until 60 accepted
  [ "$(latest)" -gt $(($(date +%s) + 3000)) ]
  wait_until 60 entries_are "$job" charge 1
  before=$(latest)
  running=$(run_sbatch -A proj001 -p cpu -t 5 --wrap 'sleep 8')
  wait_for_job "$running" RUNNING
  # which the ledger's time does not follow
  echo +0 >"$GATE/clock"
  wait_until 60 accepted
  wait_until 60 entries_are "$job" charge 1
  wait_until 60 entries_are "$running" charge 1
  [ "$(latest)" -ge "$before" ]
  # What is an hour behind the controller does not know which submissions are old.
  echo -1h >"$GATE/clock"
  run run_sbatch -A proj001 -p cpu -t 5
  echo "$output"
  [ "$status" != 0 ]
  [[ $output == *"the clocks of slurmctld and of the budget service must agree"* ]]
  restart
  wait_until 60 accepted
  wait_until 60 entries_are "$job" charge 1
  wait_until 60 held_is 0
  asbb transactions proj001 --limit=10000 --output json | jq -e '[sort_by(.id)[].created_at] | . == sort'
  ledger_is_sacct
}

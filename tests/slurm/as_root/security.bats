#!/usr/bin/env bats
# What a user can do to the gate with sbatch, with libslurm and with a socket of his own: nothing is waived, nothing
# of another's is touched, no figure is learnt. `games` has account proj002, which has no budget; `news` has nih-r01, below lab.

load ../helpers

setup_file() {
  [ "$(id -u)" = 0 ] || {
    echo "only root can be several users" >&2
    return 1
  }
  gate_up
  # The folder of the build need not be open to others.
  install -m 0755 "$(programs_folder)/tests/submit_load" "$BED/submit_load"
}
teardown_file() { gate_down; }

submit_as() { # USER NAME=VALUE...
  local user=$1
  shift
  as_user "$user" "$BED/submit_load" "$@"
}

jobs_of() { squeue -h -a -t all -u "$1" -o %A | sort -u; }

admin_comment() { scontrol show job "$1" | sed -n 's/^ *AdminComment=//p' | tr -d ' '; }

cancel_jobs() {
  squeue -h -a -o %A | xargs -r scancel
  no_jobs() { [ -z "$(squeue -h -a -t PD,R,CG -o %A)" ]; }
  wait_until 30 no_jobs
}

submits() { run_sbatch -A "$1" -p cpu -t 5 -H; }

nothing_held() { [ "$(balance nih-r01 held)" = 0 ] && [ "$(balance proj001 held)" = 0 ]; }

# A server of user games that says yes to everything and writes down what it was sent.
squat() { # tcp:PORT|unix:PATH
  cat >"$BED/squat.py" <<'PYTHON'
import os, socket, sys
kind, where = sys.argv[1].split(":", 1)
if kind == "tcp":
    server = socket.create_server(("127.0.0.1", int(where)))
else:
    server = socket.socket(socket.AF_UNIX)
    server.bind(where)
    os.chmod(where, 0o777)
    server.listen(64)
print("listening", flush=True)
while True:
    peer, _ = server.accept()
    peer.settimeout(2)
    try:
        print("got", len(peer.recv(65536)), flush=True)
        peer.sendall(b"HTTP/1.1 200 OK\r\nAsbb-Decision: allow\r\nContent-Length: 0\r\n\r\n")
    except OSError:
        print("got nothing", flush=True)
    peer.close()
PYTHON
  : >"$BED/squat.log"
  runuser -u games -- /usr/bin/python3 "$BED/squat.py" "$1" >"$BED/squat.log" 2>&1 3>&- &
  SQUATTER=$!
  wait_until 10 grep -q listening "$BED/squat.log"
}

unsquat() {
  kill "$SQUATTER"
  wait "$SQUATTER" || true
}

@test "fed_siblings_viable of a user waives no hold" {
  for forged in fed_siblings_viable=3 "fed_siblings_viable=3 job_id=67108999" "fed_siblings_viable=3 origin_cluster=cloud" \
    "fed_siblings_viable=3 fed_siblings_active=3 job_id=134217999 origin_cluster=cloud"; do
    # shellcheck disable=SC2086 # several words
    run submit_as games account=proj002 partition=cpu time_limit=5 $forged
    echo "$output"
    [ "$status" = 3 ]
    [[ $output == *"has no budget"* ]]
  done
  [ -z "$(jobs_of games)" ]

  run submit_as news account=nih-r01 partition=cpu time_limit=5 priority=0 fed_siblings_viable=3
  [ "$status" = 0 ]
  [[ $(admin_comment "${output#job }") =~ ^asbb=[0-9a-f]{44}$ ]]
  [ "$(balance nih-r01 held)" != 0 ]
  cancel_jobs
  wait_until 60 nothing_held
}

@test "submit_line, names and options of a user waive no hold" {
  for forged in "submit_line=sbatch --test-only x" name=asbb extra=asbb cluster_features=onprem \
    spank=ASBB_SKIP=1 spank=SLURMD_NODENAME=x; do
    run submit_as games account=proj002 partition=cpu time_limit=5 "$forged"
    echo "$forged: $output"
    [ "$status" = 3 ]
    [[ $output == *"has no budget"* ]]
  done
  for forged in cluster_features=cloud spank=_SLURM_SPANK_OPTION_asbb_budget_cloud=1; do
    run submit_as games account=proj002 partition=cpu time_limit=5 "$forged"
    [ "$status" = 3 ]
    [[ $output == *"None of the clusters that "*" allows has partition 'cpu'"* ]]
  done
  [ -z "$(jobs_of games)" ]
}

@test "another's user id and an admin_comment are refused by Slurm, and hold nothing" {
  run submit_as news account=nih-r01 partition=cpu time_limit=5 user_id=0
  [ "$status" = 3 ]
  run submit_as news account=nih-r01 partition=cpu time_limit=5 admin_comment=asbb=0197a1b2c3d4e5f60718293a4b5c6d7e8f9001122334
  [ "$status" = 3 ]
  [ -z "$(jobs_of news | xargs -r squeue -h -a -t PD,R -o %A -j 2>/dev/null)" ]
  [ "$(balance nih-r01 held)" = 0 ]
}

@test "a user who copies the token of another's job into his own gets nothing of its hold" {
  job=$(run_sbatch -A proj001 -p cpu -t 10 -H)
  token=$(admin_comment "$job")
  held=$(balance proj001 held)
  [ "$held" != 0 ]
  for forged in "comment=$token" "name=$token" "extra=$token" "submit_line=$token"; do
    run submit_as news account=nih-r01 partition=quiet time_limit=1 "$forged"
    [ "$status" = 0 ]
    wait_for_job "${output#job }" COMPLETED
    run submit_as news account=nih-r01 partition=cpu time_limit=1 "$forged"
    [ "$status" = 0 ]
    [ "$(admin_comment "${output#job }")" != "$token" ]
    wait_for_job "${output#job }" COMPLETED
  done
  nih_settled() { [ "$(balance nih-r01 held)" = 0 ]; }
  wait_until 60 nih_settled
  [ "$(balance proj001 held)" = "$held" ]
  [ "$(balance proj001 used)" = 0 ]
  [ "$(admin_comment "$job")" = "$token" ]
  run as_user news scontrol update "JobId=$job" "AdminComment=x"
  [ "$status" != 0 ]
  cancel_jobs
  wait_until 60 nothing_held
}

@test "--budget of an account that is not the user's reads like one that does not exist" {
  # As sbatch puts it, as libslurm can, and as an environment made by hand would.
  option=_SLURM_SPANK_OPTION_asbb_budget_budget
  for account in proj001 no-such-account; do
    run as_user news sbatch -o /dev/null -A nih-r01 -p cpu -t 5 --budget="$account" --wrap true
    [ "$status" != 0 ]
    said[0]+="${output//$account/X}#"
    run submit_as news account=nih-r01 partition=cpu time_limit=5 "spank=$option=$account"
    [ "$status" = 3 ]
    said[1]+="${output//$account/X}#"
    run as_user news env "$option=$account" "SLURM_SPANK_$option=$account" sbatch -o /dev/null -A nih-r01 -p cpu -t 5 --wrap true
    [ "$status" != 0 ]
    said[2]+="${output//$account/X}#"
  done
  for at in 0 1 2; do
    echo "${said[$at]}"
    [[ ${said[$at]} == *"or there is no such account"* ]]
    half=$((${#said[$at]} / 2))
    [ "${said[$at]:0:$half}" = "${said[$at]:$half}" ]
  done
  [ "$(balance proj001 held)" = 0 ]
}

@test "no refusal shows a figure of an account that the user may not use" {
  asbb account create --name=lab --budget=0.02 --start="$(date -u +%Y)-01-01" --end="$(date -u +%Y)-12-31"
  asbb account update nih-r01 --parent=lab
  run as_user news sbatch -o /dev/null -A nih-r01 -p cpu -n 4 -t 20:00:00 --wrap true
  echo "$output"
  [ "$status" != 0 ]
  [[ $output == *"must be held"* ]]
  [[ $output != *"0.02"* ]]
  [[ $output != *"available"* ]]
  [[ $output != *"--time="* ]]
  run as_user games sbatch -o /dev/null -A lab -p cpu -n 4 -t 20:00:00 --wrap true
  [[ $output == *"or there is no such account"* ]]
  [[ $output != *"\$"* ]]
  asbb account update nih-r01 --parent=
}

@test "over the service's own doors an ordinary user learns and moves nothing" {
  ask() { as_user games curl -s -m 10 -o /dev/null -w '%{http_code}' -H 'Content-Type: application/json' "$@"; }
  ask_locally() { # PATH OPTION...
    local path=$1
    shift
    ask --unix-socket "$BED_SERVICE_SOCKET" "http://localhost/api/v1/$path" "$@"
  }
  for path in accounts/proj001 accounts/no-such-account 'transactions?account=proj001'; do
    [ "$(ask_locally "$path")" = 404 ]
    [ "$(ask "http://127.0.0.1:$BED_SERVICE_PORT/api/v1/$path")" = 401 ]
  done
  job=$(run_sbatch -A proj001 -p cpu -t 10 -H)
  token=$(admin_comment "$job")
  body='{"cluster":"onprem","account":"proj001","user_id":0,"submit_uid":0,"partition":"cpu","time_limit":5}'
  [ "$(ask_locally "slurm/submissions/${token#asbb=}" -X PUT -d "$body")" = 403 ]
  [ "$(ask -X PUT -d "$body" "http://127.0.0.1:$BED_SERVICE_PORT/api/v1/slurm/submissions/${token#asbb=}")" = 401 ]
  check='{"account":"proj001","partition":"cpu","nodes":1,"cpus":1,"wall_time":"01:00:00"}'
  [ "$(ask_locally budget/check -X POST -d "$check")" = 403 ]
  [ "$(ask_locally slurm/notify -X POST -d '{"cluster":"onprem","job_id":1}')" = 403 ]
  for door in "--unix-socket $BED_SERVICE_SOCKET http://localhost" "http://127.0.0.1:$BED_SERVICE_PORT"; do
    # shellcheck disable=SC2086 # several words
    run as_user games curl -s -m 10 $door/metrics
    [[ $output != *proj001* && $output != *nih-r01* ]]
  done
  cancel_jobs
  wait_until 60 nothing_held
}

@test "who listens on the service's port, or in the place of its socket, is not believed" {
  service_stop "$GATE"
  squat "tcp:$BED_SERVICE_PORT"
  run run_sbatch -A proj001 -p cpu -t 5
  [ "$status" != 0 ]
  [[ $output == *"does not answer"* ]]
  unsquat
  [ "$(grep -c got "$BED/squat.log")" = 0 ]

  folder=$(mktemp -d "$BED/squat.XXXXXX")
  chown games "$folder"
  squat "unix:$folder/asbb.sock"
  mv "$folder/asbb.sock" "$BED_SERVICE_SOCKET"
  run run_sbatch -A proj001 -p cpu -t 5
  [ "$status" != 0 ]
  [[ $output == *"does not answer"* ]]
  wait_until 10 grep -q 'got' "$BED/squat.log"
  # the log has a line at most every ten seconds
  log_says_why() {
    ! run_sbatch -A proj001 -p cpu -t 5 && grep -q 'belongs to a user who is not trusted' "$BED/log/slurmctld-onprem.log"
  }
  wait_until 20 log_says_why
  unsquat
  cat "$BED/squat.log"
  run grep 'got [1-9]' "$BED/squat.log"
  [ "$status" = 1 ]
  # nor is a policy file of his
  mv "$BED_RUN/policy.onprem" "$BED/policy.kept"
  printf 'version 1\ndefault allow\n' >"$BED_RUN/policy.onprem"
  chown games "$BED_RUN/policy.onprem"
  sleep 1.1
  run run_sbatch -A proj001 -p cpu -t 5
  [ "$status" != 0 ]
  mv "$BED/policy.kept" "$BED_RUN/policy.onprem"
  rm -f "$BED_SERVICE_SOCKET"
  service_run "$GATE"
  wait_until 90 submits proj001
  cancel_jobs
  wait_until 60 nothing_held
}

@test "submissions that never become jobs hold no more than the cap, and only their user is held up" {
  printf 'budget:\n  max_unbound_holds: 5\n' >>"$GATE/config.yaml"
  service_stop "$GATE"
  service_run "$GATE"
  service_knows_clusters
  wait_until 90 submits nih-r01
  cancel_jobs
  wait_until 60 nothing_held

  # those that become jobs are not held up by it
  all_bound() { curl -s --unix-socket "$BED_SERVICE_SOCKET" http://localhost/metrics | grep -qx 'asbb_holds_unbound 0'; }
  for _ in 1 2 3; do
    run submit_as news --count=4 account=nih-r01 partition=cpu time_limit=5 priority=0
    echo "$output"
    [[ $output == *"accepted 4 refused 0"* ]]
    wait_until 20 all_bound
  done
  cancel_jobs
  wait_until 60 nothing_held

  for _ in $(seq 12); do
    run submit_as news account=nih-r01 partition=cpu time_limit=5 req_nodes=no-such-node
    [ "$status" = 3 ]
  done
  echo "$output"
  [[ $output == *"Too many submissions"* ]]
  count=$(asbb account show nih-r01 --output json | jq .open_holds)
  echo "open holds: $count"
  [ "$count" -le 5 ]
  wait_until 30 submits nih-r01
  run asbb audit verify
  [ "$status" = 0 ]
}

# What the ladder of enforcement does to jobs (docs/reference/slurm.md, "What asbb does in Slurm").
@test "the operator right is enough, and needed, to signal, move and cancel another's job" {
  as_games() { SLURM_CONF=$BED_ONPREM_CONF runuser -u games -- "$@"; }
  job=$(run_sbatch --uid=news -A nih-r01 -p quiet -t 5 --wrap 'trap : USR1; while :; do sleep 0.1; done')
  wait_for_job "$job" RUNNING
  for command in "scancel --full --signal=USR1 $job" "scontrol requeuehold $job" "scancel $job"; do
    run as_games $command
    [ "$status" -ne 0 ]
  done
  sacctmgr -i -Q modify user games set AdminLevel=Operator
  as_games scancel --full --signal=USR1 "$job"
  job_is "$job" onprem RUNNING
  as_games scontrol requeuehold "$job"
  wait_for_job "$job" PENDING
  as_games scontrol update "JobId=$job" Partition=open
  as_games scontrol release "$job"
  onprem scontrol show job "$job" | grep -q 'Partition=open'
  as_games scancel "$job"
  wait_for_job "$job" CANCELLED
  sacctmgr -i -Q modify user games set AdminLevel=None
}

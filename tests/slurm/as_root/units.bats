#!/usr/bin/env bats
# The programs of the timers, as their units run them: by a user who is not root, with AdminLevel=Operator. What the weekly timer's
# does with jobs of last week is in tests/processes/report_unit.py. The tests follow each other.

load ../helpers

setup_file() {
  [ "$(id -u)" = 0 ] || {
    echo "only root can be several users" >&2
    return 1
  }
  # games is here what the user asbb is where asbb is installed; news lacks nothing but the right in Slurm
  export GATE_BED_OPTIONS="--service-user games"
  gate_up
  service_stop "$GATE"
  sed -i 's/^service:$/service:\n  admins: [root, games, news]/' "$GATE/config.yaml"
  chmod 755 "$GATE"
  chmod 644 "$GATE/config.yaml"
  chown games "$GATE" # as /var/lib/asbb is
  service_run "$GATE"
}
teardown_file() { gate_down; }

# by_timer USER UNIT NAME=VALUE...: lines of the unit's file in /etc/default.
by_timer() {
  local user=$1 service=asbb-$2.service
  shift 2
  run "$SLURM_TESTS/../support/as_unit" "$service" "$user" "$(programs_folder)/bin" "$GATE" "$GATE/config.yaml" "$@"
  echo "$service by $user: $status $output"
}
structure() { sacctmgr -n -P show assoc where cluster="$1" format=Account,User,ParentName | sort; }
# Every limit of a cluster that a fence can set, as ACCOUNT|LIMIT.
limits() { sacctmgr -n -P show assoc where cluster="${1:-cloud}" user= format=Account,GrpTRESMins | sort | sed '/|$/d'; }
level_of() { sacctmgr -n -P show user where name="$1" format=AdminLevel; }
lacks_the_right() { [[ $output == *"User id $(id -u news) news is not proven to see all jobs of $1"*"Give it AdminLevel Operator"* ]]; }

@test "the user of the units is an Operator, and nothing more" {
  [ "$(level_of games)" = Operator ]
  [ "$(level_of news)" = None ]
}

@test "without that right no account is made, and the answer says what is lacking" {
  sacctmgr -iQ add account name=deep parent=nih-r01 cluster=onprem description='only here'
  sacctmgr -iQ add user name=games account=deep cluster=onprem
  before=$(structure cloud)
  [ "$before" != "$(structure onprem)" ]
  by_timer news sync-accounts
  [ "$status" = 1 ]
  lacks_the_right onprem
  [ "$(structure cloud)" = "$before" ]
}

@test "accounts follow, and the next day there is nothing to do" {
  by_timer games sync-accounts
  [ "$status" = 0 ]
  structure cloud | grep -qx 'deep|games|'
  diff <(structure onprem) <(structure cloud)
  by_timer games sync-accounts
  [ "$status" = 0 ]
  [[ $output == *"Nothing to do"* ]]
}

@test "flags of /etc/default count: another direction, and what is not there is removed" {
  sacctmgr -iQ add account name=there cluster=cloud
  by_timer games sync-accounts FROM=cloud TO=onprem
  [ "$status" = 0 ]
  sacctmgr -n -P show assoc where cluster=onprem account=there format=Account | grep -qx there
  sacctmgr -iQ delete account name=there cluster=cloud
  by_timer games sync-accounts FROM=cloud TO=onprem "OPTIONS=--prune --limits=keep"
  [ "$status" = 0 ]
  [ -z "$(sacctmgr -n -P show assoc where cluster=onprem account=there format=Account)" ]
}

@test "without weights there is no fence, without the right neither" {
  by_timer games slurm-fence
  [ "$status" = 1 ]
  [[ $output == *TRESBillingWeights* ]]
  asbb slurm configure --clusters=onprem,cloud --write
  "$SLURM_TESTS/bed" restart-controllers "$BED"
  by_timer news slurm-fence
  [ "$status" = 1 ]
  lacks_the_right cloud
  [ -z "$(limits)" ]
}

# 600000 billing-minutes are a dollar: 10000 in an hour.
@test "the fence follows the budgets" {
  by_timer games slurm-fence OPTIONS=--dry-run
  [[ $output == *"billing=300000000"* ]]
  [ -z "$(limits)" ]
  for day in 1 2; do
    by_timer games slurm-fence
    [ "$status" = 0 ]
    [ "$(limits)" = $'nih-r01|billing=60000000\nproj001|billing=300000000' ]
  done
  [[ $output == *"Nothing to do"* ]]
  asbb deposit proj001 --amount=500 --reason=more
  asbb deposit nih-r01 --amount=100 --reason=more
  by_timer games slurm-fence "OPTIONS=--unit=USD --account=proj001"
  [ "$status" = 0 ]
  [ "$(limits)" = $'nih-r01|billing=60000000\nproj001|billing=600000000' ]
  by_timer games slurm-fence OPTIONS=--remove
  [ "$status" = 0 ]
  [ -z "$(limits)" ]
  by_timer games slurm-fence CLUSTER=onprem
  [ "$status" = 0 ]
  [ "$(limits onprem)" = $'nih-r01|billing=120000000\nproj001|billing=600000000' ]
  [ -z "$(limits)" ]
}

@test "the reports of the last week are written, once, and by nobody whom asbb does not know" {
  week=$(date -u -d '-7 days' +%G-W%V)
  chown nobody "$GATE" # so that it is not the folder that stops him
  by_timer nobody weekly-reports
  [ "$status" = 1 ]
  [[ $output == *"there is no account that this user may see"* ]]
  [ ! -e "$GATE/reports" ]
  rm "$GATE/weekly-reports.state"
  chown games "$GATE"
  by_timer games weekly-reports
  [ "$status" = 0 ]
  [ -s "$GATE/reports/$week/nih-r01.html" ]
  grep -q '^user,jobs,' "$GATE/reports/$week/proj001.csv"
  [ -z "$(find "$GATE/reports" "$GATE/weekly-reports.state" ! -user games)" ]
  by_timer games weekly-reports
  [ "$status" = 0 ]
  [[ $output == *"Nothing to do"* ]]
  earlier=$(date -u -d '-14 days' +%G-W%V)
  by_timer games weekly-reports "OPTIONS=--week=$earlier --time-zone=Europe/Paris"
  [ "$status" = 0 ]
  [ "$(ls "$GATE/reports")" = "$earlier"$'\n'"$week" ]
}

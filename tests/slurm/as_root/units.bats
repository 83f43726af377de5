#!/usr/bin/env bats
# The programs of the timers on Slurm's accounts, as their units run them: by a user who is not root, with AdminLevel=Operator.
# What the weekly timer's does is in tests/processes/report_unit.py. The tests follow each other.

load ../helpers

setup_file() {
  [ "$(id -u)" = 0 ] || {
    echo "only root can be several users" >&2
    return 1
  }
  # games is here what the user asbb is where asbb is installed
  export GATE_BED_OPTIONS="--service-user games"
  gate_up
  service_stop "$GATE"
  sed -i 's/^service:$/service:\n  admins: [root, games]/' "$GATE/config.yaml"
  chmod 755 "$GATE"
  chmod 644 "$GATE/config.yaml"
  service_run "$GATE"
  mkdir "$BED/state.unit"
}
teardown_file() { gate_down; }

# by_timer USER SYNC|FENCE NAME=VALUE...: lines of the unit's file in /etc/default.
by_timer() {
  local user=$1 service=asbb-$2.service
  shift 2
  run "$SLURM_TESTS/../support/as_unit" "$service" "$user" "$(programs_folder)/bin" "$BED/state.unit" "$GATE/config.yaml" "$@"
  echo "$service by $user: $status $output"
}
structure() { sacctmgr -n -P show assoc where cluster="$1" format=Account,User,ParentName | sort; }
limits() { sacctmgr -n -P show assoc where cluster=cloud user= format=Account,GrpTRESMins | sort; }
level_of() { sacctmgr -n -P show user where name="$1" format=AdminLevel; }

@test "the user of the units is an Operator, and nothing more" {
  [ "$(level_of games)" = Operator ]
  [ "$(level_of news)" = None ]
}

@test "without that right nothing is changed, and the answer says what is lacking" {
  sacctmgr -iQ add account name=deep parent=nih-r01 cluster=onprem description='only here'
  sacctmgr -iQ add user name=games account=deep cluster=onprem
  before=$(structure cloud)
  by_timer news sync-accounts
  [ "$status" = 1 ]
  [[ $output == *Operator* ]]
  by_timer news slurm-fence
  [ "$status" = 1 ]
  [ "$(structure cloud)" = "$before" ]
  [ -z "$(limits | grep -v '|$')" ]
}

@test "accounts follow, and the next day there is nothing to do" {
  by_timer games sync-accounts
  [ "$status" = 0 ]
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

@test "the fence follows the budgets" {
  asbb slurm configure --clusters=onprem,cloud --write
  "$SLURM_TESTS/bed" restart-controllers "$BED"
  by_timer games slurm-fence OPTIONS=--dry-run
  [ -z "$(limits | grep -v '|$')" ]
  by_timer games slurm-fence
  [ "$status" = 0 ]
  first=$(limits | grep '^proj001|billing=')
  by_timer games slurm-fence
  [ "$status" = 0 ]
  [ "$(limits | grep '^proj001|billing=')" = "$first" ]
  asbb deposit proj001 --amount=500 --reason=more
  by_timer games slurm-fence
  [ "$status" = 0 ]
  # 500 dollars before, 1000 now
  [ "$(limits | sed -n 's/^proj001|billing=//p')" = $((2 * ${first#*=})) ]
  by_timer games slurm-fence OPTIONS=--remove
  [ "$status" = 0 ]
  [ -z "$(limits | grep -v '|$')" ]
}

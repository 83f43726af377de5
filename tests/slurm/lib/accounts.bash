# Clusters, federation, accounts and users of a bed in slurmdbd.
# shellcheck shell=bash disable=SC2154 # BED, BED_RUN and the like are set by layout.bash

# proj001 and proj002 stand alone; nih-r01 is a child of lab. Who may use what:
#   the user who runs the bed   proj001 (default), nih-r01
#   games                       proj002
#   news                        nih-r01
# `sacctmgr add cluster` for an existing cluster silently takes it out of its federation: done
# once. The federation is made while both controllers run, since they connect to each other at
# once then (and only seconds later when it existed before them). Accounts of one cluster are not
# added side by side: slurmdbd then puts some of them under the wrong parent.
clusters_seed() {
  [ ! -f "$BED/state/clusters" ] || return 0
  : >"$BED/log/sacctmgr.log"
  account_command onprem add cluster onprem features=onprem &
  account_command cloud add cluster cloud features=cloud,aws &
  wait
  touch "$BED/state/clusters"
}

accounts_seed() {
  local me
  me=$(id -un)
  if [ ! -f "$BED/state/seeded" ]; then
    if are_independent; then
      accounts_of onprem "$me" Cluster=onprem &
      accounts_of cloud "$me" Cluster=cloud
    else
      account_command onprem add federation hybrid_cluster clusters=onprem,cloud &
      accounts_of onprem "$me" Cluster=onprem,cloud
    fi
    wait
    accounts_complete "$me" ||
      fail_with_log "accounts were not all created" sacctmgr "$BED/log/sacctmgr.log"
    touch "$BED/state/seeded"
  fi
  accounts_operator "$BED_SERVICE_USER"
}

# accounts_of CLUSTER ME CLUSTERS: in the slurmdbd of CLUSTER.
accounts_of() {
  local at=$1 me=$2 clusters=$3 operator=()
  [ "$me" != "$BED_SERVICE_USER" ] || operator=(AdminLevel=Operator)
  account_command "$at" add account proj001,proj002,lab "$clusters" Organization=lab
  account_command "$at" add account nih-r01 Parent=lab "$clusters" Organization=lab
  account_command "$at" add user "$me" Account=proj001,nih-r01 DefaultAccount=proj001 "$clusters" \
    "${operator[@]}"
  # one who runs the bed under one of these names has the accounts of who runs it
  [ "$me" = games ] ||
    account_command "$at" add user games Account=proj002 DefaultAccount=proj002 "$clusters"
  [ "$me" = news ] ||
    account_command "$at" add user news Account=nih-r01 DefaultAccount=nih-r01 "$clusters"
}

account_command() { # CLUSTER ARGUMENT...
  local at=$1
  shift
  echo "sacctmgr $*" >>"$BED/log/sacctmgr.log"
  on "$at" sacctmgr -i -Q "$@" >>"$BED/log/sacctmgr.log" 2>&1 || true
}

# Shows what came of it, all at once: the tool's exit code cannot be trusted.
accounts_complete() {
  local shown=$BED/log/accounts
  account_show assoc where user="$1,games,news" format=account,user >"$shown.assoc" &
  account_show federation format=federation,cluster >"$shown.federation" &
  account_show user "$BED_SERVICE_USER" format=user,adminlevel >"$shown.operator" &
  wait
  [ "$(sort -u "$shown.assoc" | wc -l)" -ge 3 ] || return 1
  are_independent || grep -q cloud "$shown.federation"
}

account_show() { on onprem sacctmgr -n -P show "$@" 2>>"$BED/log/sacctmgr.log"; }

accounts_operator() {
  local user=$1 shown=$BED/log/accounts.operator
  ! grep -q "^$user|Operator" "$shown" 2>/dev/null || return 0
  account_show user "$user" format=user,adminlevel >"$shown"
  ! grep -q "^$user|Operator" "$shown" || return 0
  [ -s "$shown" ] || account_command onprem add user "$user" Account=root Cluster=onprem,cloud
  account_command onprem modify user "$user" set AdminLevel=Operator
  account_show user "$user" format=user,adminlevel >"$shown"
  grep -q "^$user|Operator" "$shown" ||
    fail_with_log "could not make $user an operator" sacctmgr "$BED/log/sacctmgr.log"
}

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
  account_command add cluster onprem features=onprem &
  account_command add cluster cloud features=cloud,aws &
  wait
  touch "$BED/state/clusters"
}

accounts_seed() {
  local me operator=() both=Cluster=onprem,cloud
  me=$(id -un)
  [ "$me" != "$BED_SERVICE_USER" ] || operator=(AdminLevel=Operator)
  if [ ! -f "$BED/state/seeded" ]; then
    account_command add federation hybrid_cluster clusters=onprem,cloud &
    account_command add account proj001,proj002,lab "$both" Organization=lab
    account_command add account nih-r01 Parent=lab "$both" Organization=lab
    account_command add user "$me" Account=proj001,nih-r01 DefaultAccount=proj001 "$both" \
      "${operator[@]}"
    # one who runs the bed under one of these names has the accounts of who runs it
    [ "$me" = games ] ||
      account_command add user games Account=proj002 DefaultAccount=proj002 "$both"
    [ "$me" = news ] ||
      account_command add user news Account=nih-r01 DefaultAccount=nih-r01 "$both"
    wait
    accounts_complete "$me" ||
      fail_with_log "accounts were not all created" sacctmgr "$BED/log/sacctmgr.log"
    touch "$BED/state/seeded"
  fi
  accounts_operator "$BED_SERVICE_USER"
}

account_command() {
  echo "sacctmgr $*" >>"$BED/log/sacctmgr.log"
  on onprem sacctmgr -i -Q "$@" >>"$BED/log/sacctmgr.log" 2>&1 || true
}

# Shows what came of it, all at once: the tool's exit code cannot be trusted.
accounts_complete() {
  local shown=$BED/log/accounts
  account_show assoc where user="$1,games,news" format=account,user >"$shown.assoc" &
  account_show federation format=federation,cluster >"$shown.federation" &
  account_show user "$BED_SERVICE_USER" format=user,adminlevel >"$shown.operator" &
  wait
  [ "$(sort -u "$shown.assoc" | wc -l)" -ge 3 ] && grep -q cloud "$shown.federation"
}

account_show() { on onprem sacctmgr -n -P show "$@" 2>>"$BED/log/sacctmgr.log"; }

accounts_operator() {
  local user=$1 shown=$BED/log/accounts.operator
  ! grep -q "^$user|Operator" "$shown" 2>/dev/null || return 0
  account_show user "$user" format=user,adminlevel >"$shown"
  ! grep -q "^$user|Operator" "$shown" || return 0
  [ -s "$shown" ] || account_command add user "$user" Account=root Cluster=onprem,cloud
  account_command modify user "$user" set AdminLevel=Operator
  account_show user "$user" format=user,adminlevel >"$shown"
  grep -q "^$user|Operator" "$shown" ||
    fail_with_log "could not make $user an operator" sacctmgr "$BED/log/sacctmgr.log"
}

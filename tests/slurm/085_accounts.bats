#!/usr/bin/env bats
# Slurm's accounts by asbb, on two real clusters with a slurmdbd each: one follows the other, and accounts are made on both.
# The tests follow each other.

load helpers

setup_file() {
  local programs
  programs=$(programs_folder)
  bed_up --clusters independent || return 1
  export PATH=$programs/bin:$PATH GATE=$BED/asbb
  service_start "$GATE" || return 1
  export SETTINGS=$GATE/accounts.yaml
  with_limits '{MaxJobs: copy, GrpTRES: scale 0.5, MaxSubmitJobs: 200}'
}
teardown_file() { gate_down; }

# with_limits RULES: the same settings, with these rules for cloud.
with_limits() {
  cat >"$SETTINGS" <<END
service: {socket: $BED_SERVICE_SOCKET}
slurm:
  clusters:
    - {name: onprem, conf: $BED_ONPREM_CONF}
    - {name: cloud, conf: $BED_CLOUD_CONF, limits: $1}
END
}

sync() { asbb slurm sync-accounts --config="$SETTINGS" --from=onprem --to=cloud "$@"; }
on() { "$1" sacctmgr -i "${@:2}" >>"$BED/log/sacctmgr.log" 2>&1; }
# What of the tree is to be the same on both: accounts with their parents, users, default accounts, descriptions.
structure() {
  "$1" sacctmgr -n -P show assoc where cluster="$1" format=Account,User,ParentName | sort
  "$1" sacctmgr -n -P show assoc onlydefaults where cluster="$1" format=Account,User | sort
  "$1" sacctmgr -n -P show assoc where cluster="$1" format=Account | sort -u | while read -r account; do
    "$1" sacctmgr -n -P show account name="$account" format=Account,Description,Organization
  done
}
limits() { "$1" sacctmgr -n -P show assoc wopl where cluster="$1" account="$2" user= format=MaxJobs,MaxSubmitJobs,GrpTRES,GrpTRESMins; }
empty_cloud() {
  local name
  for name in games news "$(id -un)"; do
    cloud sacctmgr -n -P show assoc where cluster=cloud user="$name" format=Account | grep -vx root | while read -r account; do
      on cloud delete user where name="$name" account="$account" cluster=cloud || true
    done
  done
  for name in nih-r01 lab proj001 proj002; do on cloud delete account where name="$name" cluster=cloud; done
  [ "$(cloud sacctmgr -n -P show assoc where cluster=cloud format=Account | sort -u)" = root ]
}

@test "a cluster that has nothing becomes what the other one is, and a second run finds nothing to do" {
  empty_cloud
  on onprem modify account where name=lab set Description='the lab, a=b' Organization=science
  on onprem add account name=deep parent=nih-r01 cluster=onprem
  on onprem add user name=bin account=deep,proj002 cluster=onprem DefaultAccount=proj002
  run sync --dry-run
  echo "$output"
  [ "$status" = 4 ]
  [[ $output == *"add account"*"nih-r01"*"lab"* ]]
  [ "$(cloud sacctmgr -n -P show assoc where cluster=cloud format=Account | sort -u)" = root ]
  run sync --limits=keep
  echo "$output"
  [ "$status" = 0 ]
  diff <(structure onprem) <(structure cloud)
  run sync --limits=keep
  echo "$output"
  [ "$status" = 0 ]
  [[ $output == *"Nothing to do"* ]]
}

@test "another parent, another default account and another text follow" {
  on onprem modify account where name=proj002 cluster=onprem set Parent=lab
  on onprem modify user where name=bin cluster=onprem set DefaultAccount=deep
  on onprem modify account where name=proj001 set Description=renamed
  run sync --limits=keep
  echo "$output"
  [ "$status" = 0 ]
  diff <(structure onprem) <(structure cloud)
}

@test "limits follow by their rules, and what is set there is not overwritten unasked" {
  on onprem modify account where name=lab cluster=onprem set MaxJobs=10 GrpTRES=cpu=5,gres/gpu=2 GrpTRESMins=cpu=600
  run sync
  echo "$output"
  [ "$status" = 0 ]
  [ "$(limits cloud lab)" = '10|200|cpu=2,gres/gpu=1|' ]
  [ "$(limits cloud proj001)" = '|200||' ]
  on cloud modify account where name=lab cluster=cloud set MaxJobs=3 GrpTRES=cpu=8
  run sync
  echo "$output"
  [ "$status" = 0 ]
  [[ $output == *"MaxJobs lab: it is set there already; --limits=overwrite changes it"* ]]
  [ "$(limits cloud lab)" = '3|200|cpu=8,gres/gpu=1|' ]
  run sync --limits=overwrite
  echo "$output"
  [ "$status" = 0 ]
  [ "$(limits cloud lab)" = '10|200|cpu=2,gres/gpu=1|' ]
}

@test "nothing is removed without --prune; with it what only the second has goes, and what sacctmgr would take along stays" {
  on cloud add account name=old cluster=cloud
  on cloud add account name=older parent=old cluster=cloud
  on cloud add user name=daemon account=older cluster=cloud
  on cloud add user name=news account=proj001 cluster=cloud
  on cloud modify user where name=news cluster=cloud set DefaultAccount=proj001
  run sync
  echo "$output"
  [ "$status" = 0 ]
  [[ $output == *"remove account old: only cluster cloud has it"* ]]
  on cloud add account name='a b' parent=old cluster=cloud
  run sync --prune
  echo "$output"
  [ "$status" = 0 ]
  [[ $output == *"remove account old: account 'a b' below it stays"* ]]
  on cloud delete account where name='a b' cluster=cloud
  run sync --prune
  echo "$output"
  [ "$status" = 0 ]
  diff <(structure onprem) <(structure cloud)
}

@test "an account in which a job runs is not removed, and that is said" {
  on cloud add account name=busy cluster=cloud
  on cloud add user name="$(id -un)" account=busy cluster=cloud
  submits() { job=$(cloud run_sbatch -A busy -p aws-cpu --wrap 'sleep 300'); }
  wait_until 30 submits
  job=$(cloud squeue -h -o %A | head -n 1)
  wait_for_job "$job" 'RUNNING CONFIGURING' cloud
  run sync --prune
  echo "$output"
  [ "$status" = 1 ]
  [[ $output == *"did not come about"* ]]
  [[ $output == *"goes on from here"* ]]
  cloud scancel -A busy
  gone() { sync --prune; }
  wait_until 60 gone
  diff <(structure onprem) <(structure cloud)
}

@test "names that sacctmgr would read otherwise are left and named" {
  on onprem add account name='a b' cluster=onprem
  on onprem add account name='-dash' cluster=onprem
  on onprem add account name=Caps cluster=onprem
  run sync
  echo "$output"
  [ "$status" = 0 ]
  [[ $output == *"add account a b: its name is not of letters"* ]]
  [[ $output == *"add account -dash: its name"* ]]
  [ "$(cloud sacctmgr -n -P show assoc where cluster=cloud account=caps format=Account)" = caps ]
  for name in 'a b' -dash; do on onprem delete account where name="$name" cluster=onprem; done
}

# sacctmgr of cloud, before whose second call that adds anything its slurmdbd stops; the real one else.
stopping_sacctmgr() {
  local name folder=$GATE/stopping
  mkdir -p "$folder"
  for name in squeue sacct scontrol sdiag; do ln -sf "$(command -v $name)" "$folder/$name"; done
  cat >"$folder/sacctmgr" <<END
#! /bin/bash
case " \$* " in *' -i add '*) echo x >>$folder/adds ;; esac
if [ -e $folder/adds ] && [ "\$(wc -l <$folder/adds)" = 2 ] && [ ! -e $folder/stopped ]; then
  touch $folder/stopped
  pid=\$(cat $BED_RUN/pid/slurmdbd-cloud)
  kill "\$pid"
  while kill -0 "\$pid" 2>/dev/null; do sleep 0.1; done
fi
exec $(command -v sacctmgr) "\$@"
END
  chmod 755 "$folder/sacctmgr"
  sed "s|conf: $BED_CLOUD_CONF|conf: $BED_CLOUD_CONF, bin_dir: $folder|" "$SETTINGS" >"$GATE/stopping.yaml"
}
start_slurmdbd() {
  SLURM_CONF=$BED/etc/dbd-cloud/slurm.conf setsid slurmdbd -D </dev/null >>"$BED/log/slurmdbd-cloud.out" 2>&1 3>&- 4>&- &
  echo $! >"$BED_RUN/pid/slurmdbd-cloud"
  disown
  wait_until 30 cloud sacctmgr -n show cluster
}

@test "a slurmdbd that stops in the middle ends the run, and the same command goes on from there" {
  on onprem add account name=chem parent=lab cluster=onprem
  on onprem add account name=bio parent=chem cluster=onprem
  on onprem add user name=daemon account=bio cluster=onprem DefaultAccount=bio
  stopping_sacctmgr
  began=$SECONDS
  run asbb slurm sync-accounts --config="$GATE/stopping.yaml" --from=onprem --to=cloud
  echo "$output"
  start_slurmdbd
  [ -e "$GATE/stopping/stopped" ]
  [ "$status" = 1 ]
  [ $((SECONDS - began)) -lt 120 ]
  [[ $output == *"Cluster cloud"* ]]
  [ "$(cloud sacctmgr -n -P show assoc where cluster=cloud account=chem,bio format=Account | sort -u)" = chem ]
  run sync
  echo "$output"
  [ "$status" = 0 ]
  diff <(structure onprem) <(structure cloud)
  run sync
  [[ $output == *"Nothing to do"* ]]
}

@test "an account of the ledger is made in Slurm as well, with limits of its own on each, and again does nothing" {
  year=$(date -u +%Y)
  create() {
    asbb account create --config="$SETTINGS" --name=proj003 --description='Third' --budget=50USD --start="$year-01-01" \
      --end="$year-12-31" --slurm --user=games,bin --slurm-limit=MaxJobs=100 --slurm-limit=cloud:MaxJobs=10 \
      --slurm-limit=cloud:GrpTRES=gres/gpu:a100=4
  }
  run create
  echo "$output"
  [ "$status" = 0 ]
  [ "$(limits onprem proj003)" = '100|||' ]
  [ "$(limits cloud proj003)" = '10||gres/gpu:a100=4|' ]
  [ "$(onprem sacctmgr -n -P show assoc onlydefaults where cluster=onprem user=games format=Account)" = proj002 ]
  on cloud delete user where name=games account=proj003 cluster=cloud
  run create
  echo "$output"
  [ "$status" = 0 ]
  [[ $output == *"add user"*"proj003"*"games"* ]]
  run create
  echo "$output"
  [ "$status" = 0 ]
  [[ $output == *"nothing was missing there"* ]]
  # another command that changes accounts is waited for
  flock "$SETTINGS" sleep 2 &
  sleep 0.5
  on cloud delete user where name=games account=proj003 cluster=cloud
  run create
  echo "$output"
  [ "$status" = 0 ]
  [[ $output == *"add user"*"proj003"*"games"* ]]
  run kill -0 $!
  [ "$status" != 0 ]
  submits() { onprem as_user games sbatch --parsable -o /dev/null -A proj003 -t 1 --wrap true; }
  [ "$(id -u)" != 0 ] || wait_until 30 submits
}

@test "a slurmdbd that is away changes nothing, neither in the ledger nor in Slurm" {
  kill -STOP "$(cat "$BED_RUN/slurmdbd-cloud.pid")"
  run timeout 60 asbb account create --config="$SETTINGS" --name=proj004 --slurm --user=games
  kill -CONT "$(cat "$BED_RUN/slurmdbd-cloud.pid")"
  echo "$output"
  [ "$status" = 1 ]
  [[ $output == *"Cluster cloud"* ]]
  run asbb account show proj004
  [ "$status" = 1 ]
  [ -z "$(onprem sacctmgr -n -P show assoc where cluster=onprem account=proj004 format=Account)" ]
}

@test "a fence keeps a job waiting that the account could not pay to its end, and can be taken away" {
  asbb prices import "$SLURM_TESTS/../../examples/demo/prices.yaml"
  run asbb slurm fence --config="$SETTINGS" --cluster=cloud
  echo "$output"
  [ "$status" = 1 ]
  [[ $output == *"which are not those of its price"* ]]
  cloud scontrol update partitionname=aws-cpu TRESBillingWeights=CPU=850
  cloud scontrol update partitionname=aws-gpu TRESBillingWeights=Node=327700
  sleep 1
  run asbb slurm fence --config="$SETTINGS" --cluster=cloud --account=proj003
  echo "$output"
  [ "$status" = 0 ]
  [[ $output == *"This fence is coarse. 600000 billing-minutes stand for 1 USD"* ]]
  [[ $output != *"Behind it"* ]]
  [ "$(limits cloud proj003)" = '10||gres/gpu:a100=4|billing=30000000' ]
  # two Slurm accounts of one budget
  on cloud add account name=proj003-old cluster=cloud
  asbb account update proj003 --alias=proj003-old
  run asbb slurm fence --config="$SETTINGS" --cluster=cloud --account=proj003
  echo "$output"
  [ "$status" = 0 ]
  [[ $output == *"Behind it each of proj003, proj003-old has all that is left of their one budget"* ]]
  [ "$(limits cloud proj003-old)" = '|||billing=30000000' ]
  # 50 USD are 588 hours of a CPU
  pending() { [ "$(cloud squeue -h -j "$1" -o %r)" = AssocGrpBillingMinutes ]; }
  on cloud modify account where name=proj003 cluster=cloud set GrpTRESMins=billing=1000
  on cloud add user name="$(id -un)" account=proj003 cluster=cloud
  submits() { job=$(cloud run_sbatch -A proj003 -p aws-cpu -t 60); }
  wait_until 30 submits
  job=$(cloud squeue -h -A proj003 -o %A | head -n 1)
  wait_until 30 pending "$job"
  run asbb slurm fence --config="$SETTINGS" --cluster=cloud --account=proj003
  [ "$status" = 0 ]
  wait_for_job "$job" COMPLETED cloud 90
  run asbb slurm fence --config="$SETTINGS" --cluster=cloud --account=PROJ003 --remove
  echo "$output"
  [ "$status" = 0 ]
  [ "$(limits cloud proj003)" = '10||gres/gpu:a100=4|' ]
}

@test "the review has what sacct and the ledger have, and names partitions without a price" {
  amounts() { asbb transactions proj003 --limit=1000 --output=json | jq -r '[.[] | select(.partition == "aws-cpu") | select(.type == "charge" or .type == "overrun") | .amount * 1000000 | round] | add'; }
  charged() { [ "$(amounts)" != null ]; }
  wait_until 40 charged
  run asbb prices review --config="$SETTINGS"
  echo "$output"
  [ "$status" = 0 ]
  [[ $output == *"Partition quiet of onprem has no price"* ]]
  [[ $output == *'Partition cpu of onprem has no TRESBillingWeights; those of its price are "CPU=400,Mem=20G"'* ]]
  grep -qF "('asbb slurm configure --clusters=onprem,cloud --write')" <<<"$output"
  used() { asbb prices review --config="$SETTINGS" --output=json | jq -r ".partitions[] | select(.partition == \"aws-cpu\") | $1"; }
  [ "$(used '.charged.USD | tonumber * 1000000 | round')" = "$(amounts)" ]
  seconds=$(cloud sacct -M cloud -a -D -X -P -n -S now-1hour --format=Partition,ElapsedRaw,AllocCPUS,State |
    awk -F'|' '$1 == "aws-cpu" && $4 !~ /PENDING|RUNNING/ { sum += $2 * $3 } END { print sum + 0 }')
  [ "$(used .core_seconds)" = "$seconds" ]
}

@test "two independent clusters get their lines, and cannot be made a federation" {
  configure() { asbb slurm configure --config="$SETTINGS" --clusters=onprem,cloud "$@"; }
  configuration() { cat "$BED"/etc/*/*.conf | sha256sum; }
  before=$(configuration)
  run configure --federation=hybrid_cluster --write
  echo "$output"
  [ "$status" = 1 ]
  [[ $output == *slurmdbd* ]]
  [ "$(configuration)" = "$before" ]
  run configure --write
  echo "$output"
  [ "$status" = 0 ]
  [[ $output != *"add federation"* ]]
  run configure --write
  [ "$status" = 0 ]
  [[ $output == *"Nothing to add."* ]]
  "$SLURM_TESTS/bed" restart-controllers "$BED"
  weights() { "$1" scontrol -o show partition "$2" | grep -o 'TRESBillingWeights=[^ ]*'; }
  wait_until 20 weights onprem cpu
  [ "$(weights onprem cpu)" = 'TRESBillingWeights=CPU=400,Mem=20G' ]
  [ "$(weights cloud aws-gpu)" = 'TRESBillingWeights=Node=327700' ]
  # it is what the review proposed, which now has nothing more to propose
  run asbb prices review --config="$SETTINGS"
  echo "$output"
  [ "$status" = 0 ]
  [[ $output == *"Partition quiet of onprem has no price"* ]]
  [[ $output != *TRESBillingWeights* ]]
}

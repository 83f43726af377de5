#!/usr/bin/env bats
# `asbb slurm configure --federation` on two real clusters of one slurmdbd: the lines are accepted, Slurm bills by the weights
# that were made of the prices, and no cluster is taken out of a federation. The tests follow each other.

load helpers

setup_file() {
  local programs
  programs=$(programs_folder)
  bed_up || return 1
  export PATH=$programs/bin:$PATH SETTINGS=$BED/asbb.yaml PRICES=$SLURM_TESTS/../../examples/demo/prices.yaml
  cat >"$SETTINGS" <<END
service: {socket: $BED/no.sock}
slurm:
  clusters:
    - {name: onprem, conf: $BED_ONPREM_CONF}
    - {name: cloud, conf: $BED_CLOUD_CONF}
END
}
teardown_file() { bed_down; }

configure() { asbb slurm configure --config="$SETTINGS" --clusters=onprem,cloud "$@"; }
federations() { sacctmgr -n -P show cluster format=Cluster,Federation | sort | paste -sd' '; }
configuration() { cat "$BED"/etc/*/*.conf | sha256sum; }
# slurmdbd reads its file when it starts; `bed up` would write the file anew.
restart_slurmdbd() {
  local pid
  pid=$(cat "$BED_RUN/pid/slurmdbd")
  kill "$pid"
  wait_until 20 eval "! kill -0 $pid"
  SLURM_CONF=$BED/etc/dbd/slurm.conf setsid slurmdbd -D </dev/null >>"$BED/log/slurmdbd.out" 2>&1 3>&- 4>&- &
  echo $! >"$BED_RUN/pid/slurmdbd"
  disown
  wait_until 20 sacctmgr -n show cluster
}
weights() { "$1" scontrol -o show partition "$2" | grep -o 'TRESBillingWeights=[^ ]*'; }

@test "a federation is made of two clusters that are in none, and their lines are written" {
  sacctmgr -i delete federation hybrid_cluster
  [ "$(federations)" = 'cloud| onprem|' ]
  before=$(configuration)
  run configure --federation=hybrid_cluster --prices="$PRICES"
  echo "$output"
  [ "$status" = 0 ]
  [[ $output == *"sacctmgr -i add federation hybrid_cluster clusters=onprem,cloud"* ]]
  [[ $output == *'PartitionName=aws-gpu TRESBillingWeights="Node=327700"'* ]]
  [[ $output == *"Partition quiet of onprem has no price"* ]]
  [ "$(configuration)" = "$before" ]
  [ "$(federations)" = 'cloud| onprem|' ]
  run configure --federation=hybrid_cluster --prices="$PRICES" --write
  echo "$output"
  [ "$status" = 0 ]
  [ "$(federations)" = 'cloud|hybrid_cluster onprem|hybrid_cluster' ]
  ls "$BED"/etc/onprem/slurm.conf.before-asbb-*
}

@test "a second time there is nothing to add, whichever case the name is in" {
  before=$(configuration)
  for name in hybrid_cluster Hybrid_Cluster; do
    run configure --federation=$name --prices="$PRICES" --write
    echo "$output"
    [ "$status" = 0 ]
    [[ $output == *"Nothing to add."* ]]
  done
  [ "$(configuration)" = "$before" ]
}

@test "real controllers start with the lines, also those of JWT" {
  key=$BED/etc/jwt.key
  (umask 077 && head -c 32 /dev/urandom >"$key")
  run configure --federation=hybrid_cluster --prices="$PRICES" --jwt="$key" --slurmdbd-conf="$BED/etc/dbd/slurmdbd.conf"
  echo "$output"
  [ "$status" = 0 ]
  [[ $output == *"slurmdbd.conf when it starts: restart it first."* ]]
  configure --federation=hybrid_cluster --prices="$PRICES" --jwt="$key" --slurmdbd-conf="$BED/etc/dbd/slurmdbd.conf" \
    --write --output=json >"$BED/written.json"
  jq -e '.written and ([.changes[].file] | length) == 3' "$BED/written.json"
  restart_slurmdbd
  "$SLURM_TESTS/bed" restart-controllers "$BED"
  [ "$(weights onprem cpu)" = 'TRESBillingWeights=CPU=400,Mem=20G' ]
  [ "$(weights cloud aws-gpu)" = 'TRESBillingWeights=Node=327700' ]
  onprem scontrol show config | grep -q '^AuthAltTypes *= auth/jwt'
  onprem scontrol show config | grep -q '^FederationParameters *= fed_display'
  grep -q "^AuthAltParameters=jwt_key=$key" "$BED/etc/dbd/slurmdbd.conf"
  onprem scontrol token lifespan=60 | grep -q '^SLURM_JWT='
}

@test "Slurm bills what the table says" {
  submits() { onprem run_sbatch -p cpu -n 1 --mem=1000 -t 1 --wrap true; }
  wait_until 60 submits
  first=$(onprem run_sbatch -M onprem -p cpu -n 3 --mem=1500 -t 1)
  second=$(onprem run_sbatch -M onprem -p big --gres=gpu:v100:1 -n 1 --mem=100 -t 1)
  wait_for_job "$first" COMPLETED
  wait_for_job "$second" COMPLETED
  billing() { accounting "$1" AllocTRES onprem | grep -o 'billing=[0-9]*'; }
  # 3 x 400 + 20 x 1500/1024, its fraction cut off; 600 + 11000
  wait_until 20 billing "$second"
  [ "$(billing "$first")" = billing=1229 ]
  [ "$(billing "$second")" = billing=11600 ]
}

@test "a cluster of another federation is refused, and stays where it is" {
  before=$(configuration)
  run configure --federation=second --prices="$PRICES" --write
  echo "$output"
  [ "$status" = 1 ]
  [[ $output == *"Cluster onprem is in federation 'hybrid_cluster'"* ]]
  [ "$(configuration)" = "$before" ]
  [ "$(federations)" = 'cloud|hybrid_cluster onprem|hybrid_cluster' ]
}

@test "a cluster joins a federation that is there" {
  sacctmgr -i modify federation hybrid_cluster set clusters-=cloud
  [ "$(federations)" = 'cloud| onprem|hybrid_cluster' ]
  run configure --federation=hybrid_cluster --prices="$PRICES" --write
  echo "$output"
  [ "$status" = 0 ]
  [[ $output == *"Federation hybrid_cluster has its clusters."* ]]
  [ "$(federations)" = 'cloud|hybrid_cluster onprem|hybrid_cluster' ]
}

@test "without a federation two clusters get their lines all the same, and a cluster that is down is refused" {
  run configure --prices="$PRICES"
  echo "$output"
  [ "$status" = 0 ]
  [[ $output != *sacctmgr* ]]
  "$SLURM_TESTS/bed" stop-controllers "$BED" cloud
  run configure --federation=hybrid_cluster --prices="$PRICES" --write
  echo "$output"
  [ "$status" = 1 ]
  [[ $output == *"Cluster cloud: scontrol ended with code 1"* ]]
  "$SLURM_TESTS/bed" start-controllers "$BED" cloud
}

@test "wrong lines that circulate are named before they are in the way" {
  printf 'FederationName=hybrid_cluster\n' >>"$BED/etc/cloud/slurm.conf"
  run configure --federation=hybrid_cluster --prices="$PRICES" --write
  echo "$output"
  [ "$status" = 1 ]
  [[ $output == *"there is no such key"* ]]
  sed -i '/^FederationName/d' "$BED/etc/cloud/slurm.conf"
}

@test "within one slurmdbd the accounts of a cluster follow the other's as well" {
  sync() { asbb slurm sync-accounts --config="$SETTINGS" --from=onprem --to=cloud "$@"; }
  structure() { sacctmgr -n -P show assoc where cluster="$1" format=Account,User,ParentName | sort; }
  run sync
  echo "$output"
  [ "$status" = 0 ]
  sacctmgr -i add account name=deep parent=nih-r01 cluster=onprem description='only here'
  sacctmgr -i add user name=games account=deep cluster=onprem
  sacctmgr -i add account name=there cluster=cloud
  run sync --prune
  echo "$output"
  [ "$status" = 0 ]
  diff <(structure onprem) <(structure cloud)
  [ "$(sacctmgr -n -P show assoc where cluster=cloud user=games onlydefaults format=Account)" = proj002 ]
  run sync --prune --dry-run
  [ "$status" = 0 ]
  [ "$(federations)" = 'cloud|hybrid_cluster onprem|hybrid_cluster' ]
}

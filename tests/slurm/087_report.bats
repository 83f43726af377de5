#!/usr/bin/env bats
# Reports over two real clusters, one in core-hours and one in dollars, held against sacct by a script of its own.

load helpers

setup_file() {
  local programs year
  programs=$(programs_folder)
  bed_up --plugin "$programs/lib/slurm/job_submit_budget.so" \
    --plugstack "budget_service_url=http://localhost:@PORT@ socket=@SOCKET@ timeout_ms=1000"
  export PATH=$programs/bin:$PATH GATE=$BED/asbb
  service_start "$GATE"
  year=$(date -u +%Y)
  TODAY=$(date -u +%F)
  export TODAY
  cat >"$GATE/prices.yaml" <<'END'
effective_from: 2025-01-01
prices:
  - {cluster: onprem, partition: cpu, unit: core-hours, basis: tres, per_core_hour: 1000}
  - {cluster: cloud, partition: aws-cpu, unit: USD, basis: tres, per_core_hour: 85}
END
  asbb prices import "$GATE/prices.yaml"
  # the one before it and the one to come are of other days
  asbb rates set core-hours USD 0.9 --effective-from=2025-01-01
  asbb rates set core-hours USD 0.0437 --effective-from="$year-01-01"
  asbb rates set core-hours USD 7 --effective-from="$((year + 1))-01-01"
  asbb account create --name=proj001 --budget=100000USD --budget=100000core-hours --start="$year-01-01" --end="$year-12-31"
  wait_until 30 grep -q '^partition cpu deny' "$BED_RUN/policy.onprem"
  wait_until 30 grep -q '^partition aws-cpu deny' "$BED_RUN/policy.cloud"
}

teardown_file() { gate_down; }

# equal [OPTION...]: the report against the ledger and sacct.
equal() {
  local cluster
  for cluster in onprem cloud; do
    "$cluster" sacct -M "$cluster" -a -D -X -P -n --noconvert -S "$TODAY" -E now+1hour -A proj001 \
      --format=Cluster,JobIDRaw,JobID,User,Partition,State,Submit,Eligible,Start,End,ElapsedRaw,TimelimitRaw,AllocCPUS
  done >"$GATE/sacct.txt"
  asbb transactions proj001 --limit=10000 --output json >"$GATE/proj001.json"
  asbb report dual --account=proj001 --start="$TODAY" --end="$(date -u +%F)" --by=job --output json >"$GATE/report.json"
  "$SLURM_TESTS/verify_report" "$GATE/report.json" "$GATE/proj001.json" "$GATE/sacct.txt" --total USD --rate core-hours=0.0437 "$@"
}
settled() { [ "$(asbb account show proj001 --output json | jq '[.budgets[].held] | add')" = 0 ]; }

@test "core-hours here and dollars there, arrays and a requeued run: the figures are those of the ledger and of sacct" {
  other=debug
  onprem scontrol create PartitionName=$other Nodes=ALL State=UP MaxTime=60
  onprem run_sbatch -M onprem -A proj001 -p cpu -t 5 -n 2 --wrap 'sleep 2'
  onprem run_sbatch -M onprem -A proj001 -p cpu -t 10 --array=1-3 --wrap 'sleep 1'
  cloud run_sbatch -M cloud -A proj001 -p aws-cpu -t 5 --wrap 'sleep 2'
  cloud run_sbatch -M cloud -A proj001 -p aws-cpu -t 20 --begin=now+2 --wrap 'sleep 1; exit 3'
  free=$(onprem run_sbatch -M onprem -A proj001 -p "$other" -t 5 --wrap 'sleep 2')
  again=$(onprem run_sbatch -M onprem -A proj001 -p cpu -t 5 --requeue --wrap 'sleep 4')
  wait_for_job "$again" RUNNING
  sleep 2
  onprem scontrol requeue "$again"
  alive() { "$1" squeue --local -h -A proj001 -t PD,R,CF,CG,S | grep -q .; }
  finished() { ! alive onprem && ! alive cloud; }
  wait_until 180 finished
  wait_until 60 settled
  two_passes "$again"
  run equal --free "$other"
  echo "$output"
  [ "$status" = 0 ]
  jq -e --arg partition "$other" '.not_charged[] | select(.partition == $partition and .price == "missing")' "$GATE/report.json"
  [ "$(jq '[.by_cluster[] | select(.jobs > 0)] | length' "$GATE/report.json")" = 2 ]
  asbb report dual --account=proj001 --start="$TODAY" --end="$TODAY" --by=job --output csv | grep -q "^$free,onprem"
}

@test "the page has the exact figures, and the table fits a terminal" {
  asbb report dual --account=proj001 --start="$TODAY" --end="$(date -u +%F)" --output html --file="$GATE/page.html"
  run asbb report dual --account=proj001 --start="$TODAY" --end="$TODAY" --output html --by user
  [ "$status" = 2 ]
  [[ $output == *"--by: a page has all its tables"* ]]
  usd=$(jq -r '.all.charged.USD' "$GATE/report.json")
  hours=$(jq -r '.all.charged["core-hours"]' "$GATE/report.json")
  grep -q "<data value=\"$usd\">" "$GATE/page.html"
  grep -q "<data value=\"$hours\">" "$GATE/page.html"
  run asbb report dual --account=proj001 --start="$TODAY" --end="$TODAY"
  echo "$output"
  [ "$status" = 0 ]
  [[ $output == *"They used "*" of the core-time"* ]]
  [ -z "$(grep -v '^\* ' <<<"$output" | awk 'length > 80')" ]
}

@test "jobs of a Slurm account below belong to the account that pays, priced or not" {
  before=$(asbb report dual --account=proj001 --start="$TODAY" --end="$(date -u +%F)" --output json)
  sacctmgr -iQ add account sub001 parent=proj001 cluster=onprem
  sacctmgr -iQ add user "$(id -un)" account=sub001 cluster=onprem
  pays() { asbb account show proj001 | grep -x 'Pays for: *sub001 (onprem)'; }
  wait_until 60 pays
  accepted() { paid=$(onprem run_sbatch -M onprem -A sub001 -p cpu -t 5 --wrap 'sleep 1'); }
  wait_until 60 accepted
  free=$(onprem run_sbatch -M onprem -A sub001 -p debug -t 5 --wrap 'sleep 1')
  wait_for_job "$paid" COMPLETED
  wait_for_job "$free" COMPLETED
  # A record of a short job may be without its partition until slurmdbd has its start as well.
  wait_for_accounting "$free" Partition debug
  wait_until 60 settled
  for account in proj001 ALL; do
    rows=$(asbb report dual --account=$account --start="$TODAY" --end="$(date -u +%F)" --by=job --output csv)
    grep "^$paid,onprem" <<<"$rows"
    grep "^$free,onprem" <<<"$rows"
  done
  after=$(asbb report dual --account=proj001 --start="$TODAY" --end="$(date -u +%F)" --output json)
  jq -ne --argjson before "$before" --argjson after "$after" '
    def free: [.not_charged[] | select(.partition == "debug") | .jobs] | add // 0;
    $after.all.jobs == $before.all.jobs + 1 and $after.all.runs == $before.all.runs + 1 and
      ($after | free) == ($before | free) + 1'
}

@test "a cluster whose accounting does not answer is missing, and said to be" {
  sed 's/^AccountingStoragePort=.*/AccountingStoragePort=1/' "$BED_CLOUD_CONF" >"$GATE/slurm.conf"
  grep -q '^AccountingStoragePort=1$' "$GATE/slurm.conf"
  sed "s|conf: $BED_CLOUD_CONF|conf: $GATE/slurm.conf|" "$ASBB_CONFIG_FILE" >"$GATE/away.yaml"
  chmod 640 "$GATE/away.yaml"
  run asbb report dual --account=proj001 --start="$TODAY" --end="$TODAY" --output json --config="$GATE/away.yaml"
  echo "$output"
  [ "$status" = 0 ]
  [ "$(jq -c '[.accounting[].read]' <<<"$output")" = '[true,false]' ]
  [ "$(jq -c '.by_cluster[] | select(.name == "cloud") | [.runs, .wait_seconds, .used_core_seconds]' <<<"$output")" = '[null,null,null]' ]
}

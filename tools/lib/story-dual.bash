# What tools/demo --dual tells: a cluster counted in core-hours and one paid in dollars, over one federation, in one ledger.
# shellcheck shell=bash disable=SC2154 # output, last_job and the like are of demo.bash

prices=examples/dual/prices.yaml
today=$(date -u +%F)
cloud() { SLURM_CONF=$BED_CLOUD_CONF "$@"; }

# associations CLUSTER: who may use what there, and what is his default.
associations() {
  sacctmgr -n -P show assoc where cluster="$1" format=Account,User,ParentName | sort
  sacctmgr -n -P show assoc onlydefaults where cluster="$1" format=Account,User | sort
}

# As a cluster is that is new: Slurm knows no account there. An account goes after its users, who go after their other accounts.
empty_cloud() {
  local name account
  for account in nih-r01 proj002 proj001; do
    for name in "$(id -un)" games news; do
      sacctmgr -i delete user where name="$name" account="$account" cluster=cloud || true
    done
  done
  for name in nih-r01 lab proj001 proj002; do sacctmgr -i delete account where name="$name" cluster=cloud; done
} >"$demo/sacctmgr.log" 2>&1

# Whether the service would take a job there: it has read the prices, and who may use the account.
would_take() { asbb quote --cluster="$1" -- -M "$1" --account=proj001 --time=1 --wrap true; }

# leg_is UNIT AMOUNT: what proj001 has held in it.
leg_is() { [[ $(of_unit proj001 "$1" held) == "$2" ]]; }

# The report and its page, held against the ledger and sacct by programs that share no code with asbb.
reports_agree() {
  local cluster
  for cluster in onprem cloud; do
    sacct -M "$cluster" -a -D -X -P -n --noconvert -S "$today" -E now+1hour -A proj001,nih-r01 \
      --format=Cluster,JobIDRaw,JobID,User,Partition,State,Submit,Eligible,Start,End,ElapsedRaw,TimelimitRaw,AllocCPUS
  done >"$demo/sacct-report.txt"
  asbb transactions --limit=10000 --output json >"$demo/transactions.json"
  asbb report dual --account=ALL --start="$today" --end="$(date -u +%F)" --by=job --output=json >"$demo/report.json"
  run tests/slurm/verify_report "$demo/report.json" "$demo/transactions.json" "$demo/sacct-report.txt" \
    --total USD --rate core-hours=0.04
  jq -e '[.by_partition[] | select(.cluster == "onprem") | .name] == ["cpu"]' "$demo/report.json" >"$output" ||
    broken "jobs on premises ran on cpu alone, and the report says otherwise"
  local unit
  for unit in core-hours USD; do
    grep -qF "<data value=\"$(jq -r --arg unit $unit '.all.charged[$unit]' "$demo/report.json")\">" "$demo/report.html" ||
      broken "the page has another sum of $unit than the report"
  done
}

cloud scontrol create PartitionName=aws-m5 Nodes=cpu-aws-1 State=UP MaxTime=24:00:00 DefaultTime=00:10:00
empty_cloud
[[ $(associations cloud | cut -d '|' -f 1 | sort -u) == root ]] || broken "cloud still has accounts: see .demo/sacctmgr.log"

chapter "1. The cloud is new, and Slurm knows no account there: it follows the cluster on premises"
ends_with 4 asbb slurm sync-accounts --from=onprem --to=cloud --dry-run
run asbb slurm sync-accounts --from=onprem --to=cloud
run asbb slurm sync-accounts --from=onprem --to=cloud
says "Nothing to do"
diff <(associations onprem) <(associations cloud) || broken "the two clusters have different accounts"

chapter "2. One account with money in two units; another one is all but out of dollars"
run asbb prices import $prices
run asbb rates set core-hours USD 0.04
run asbb account create --name=proj001 --budget=1000core-hours --budget=50USD \
  --start="${today%%-*}-01-01" --end="${today%%-*}-12-31"
run asbb account create --name=nih-r01 --budget=100core-hours --budget=0.01USD \
  --start="${today%%-*}-01-01" --end="${today%%-*}-12-31"
wait_for 60 would_take onprem || broken "no job can be paid on premises: see .demo/asbb/service.log"
wait_for 60 would_take cloud || broken "no job can be paid in the cloud: see .demo/asbb/service.log"

chapter "3. A job for whichever cluster has it first: held in both units, and the other leg is given back when one starts it"
run sbatch --hold -A proj001 -t 1:00:00 -n 4 -o /dev/null --wrap 'sleep 20'
either=$last_job
run asbb budgets
held proj001 core-hours 4.8
held proj001 USD 0.204
# The cloud starts nothing for a moment: which of the two wins would differ from run to run.
run scontrol -M cloud update PartitionName=aws-cpu State=DOWN
run scontrol release "$either"
wait_for 60 leg_is USD 0 || broken "the dollars are still held"
run asbb budgets
held proj001 core-hours 4.8
run scontrol -M cloud update PartitionName=aws-cpu State=UP

chapter "4. To the cloud, on premises, where it is cheapest"
run asbb submit --cloud -A proj001 -p aws-gpu --gres=gpu:a100:1 -t 30 -o /dev/null --wrap 'sleep 5'
says "on cluster cloud"
run asbb submit --onprem -A proj001 -t 2:00:00 -n 12 --array=1-2 -o /dev/null --wrap 'sleep 8'
says "on cluster onprem"
run asbb submit --cheapest -A proj001 -t 1:00:00 -n 2 -o /dev/null --wrap 'sleep 4'
says "it is the cheapest"
run sbatch -M cloud -A proj001 -p aws-m5 -t 20 -n 4 -o /dev/null --wrap 'sleep 3'

chapter "5. Refused in one unit, taken in the other"
refused sbatch -M cloud -A nih-r01 -t 1:00:00 -n 2 -o /dev/null --wrap 'sleep 2'
says "100.00 core-hours left on onprem"
run sbatch -M onprem -A nih-r01 -t 1:00:00 -n 2 -o /dev/null --wrap 'sleep 2'
everything_is_settled proj001 nih-r01

chapter "6. What is left, and one report of both"
run asbb budgets
run asbb report dual --account=ALL --start="$today" --end="$(date -u +%F)"
run asbb report dual --account=ALL --start="$today" --end="$(date -u +%F)" --output=html --file="$demo/report.html" --force

chapter "The check"
charges_agree $prices proj001 nih-r01
reports_agree
run asbb audit verify
echo
echo "the page is .demo/report.html: open it in a browser, or print it"

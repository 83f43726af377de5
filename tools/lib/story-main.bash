# What tools/demo tells: jobs that are held, refused, charged and released, in dollars on both clusters.
# shellcheck shell=bash disable=SC2154 # output, last_job and the like are of demo.bash

year=$(date -u +%Y)

chapter "1. An account with money, a limit for the cloud, and prices"
run asbb prices import examples/demo/prices.yaml
run asbb account create --name=proj001 --budget=50 --start="$year-01-01" --end="$year-12-31"
run asbb account set-limit proj001 --partition=gpu-aws --limit=20
run asbb account create --name=proj002 --budget=1000 --start="$year-01-01" --end="$year-12-31"
service_knows_clusters || broken "the budget service cannot read the clusters: see .demo/asbb/service.log"
run asbb doctor
says ", 0 failed"

chapter "2. A job that fits: held, run, charged, and the rest is back"
run sbatch --account=proj001 --partition=gpu-aws --nodes=1 --ntasks=4 --gres=gpu:a100:1 --time=30 \
  --output=/dev/null --wrap 'sleep 3'
first=$last_job
run asbb account show proj001
# Half an hour of (0.40 + 4 x 0.05 + 3.06) USD, and a fifth on top.
held proj001 USD 2.196
run sh -c "scontrol show job $first | grep -E \"JobId|JobState|AdminComment\""
grep -q 'asbb=[0-9a-f]\{44\}' "$output" || broken "the job does not carry its token"

chapter "3. One that is too large is refused at once"
refused sbatch --account=proj001 --partition=big --exclusive --time=1-00:00:00 --wrap true
says "47.804"
says "--time="

chapter "4. The partition limit, a cancelled job, somebody else's account"
refused sbatch --account=proj001 --partition=gpu-aws --nodes=1 --ntasks=4 --gres=gpu:a100:1 \
  --time=6:00:00 --wrap true
says "for partition gpu-aws"
run sbatch --account=proj001 --partition=cpu --ntasks=2 --time=1:00:00 --begin=now+1hour --output=/dev/null --wrap true
cancelled=$last_job
run scancel "$cancelled"
refused "${as_stranger[@]}" sbatch --account="$strangers_account" --partition=cpu --time=10 --output=/dev/null --wrap true
says_no_figure

chapter "More work meanwhile, on both clusters"
# shellcheck disable=SC2016 # the variable is the job's
run sbatch --account=proj001 --partition=cpu --cluster-constraint=onprem --array=1-4 --ntasks=1 --time=5 \
  --output=/dev/null --wrap 'sleep $SLURM_ARRAY_TASK_ID'
run sbatch --account=proj001 --partition=cpu --ntasks=2 --time=5 --output=/dev/null --wrap 'sleep 1; exit 3'
run sbatch -M cloud --account=proj001 --partition=aws-cpu --ntasks=2 --time=10 --output=/dev/null --wrap 'sleep 4'
settled_within 10 "$first" charge release
settled_within 10 "$cancelled" release
everything_is_settled proj001 proj002

chapter "5. Where the money went"
run asbb account show proj001
run asbb transactions proj001
run asbb usage show proj001

chapter "The check"
charges_agree examples/demo/prices.yaml proj001 proj002
run asbb audit verify

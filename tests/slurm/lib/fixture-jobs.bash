# One job of every kind that the readers have to understand. Sourced by record-fixtures.
# shellcheck shell=bash

declare -A JOB # kind -> job id

# job KIND OPTION...: submits, with no output file.
job() {
  local kind=$1
  shift
  JOB[$kind]=$(sbatch --parsable -o /dev/null -J "$kind" "$@" | cut -d';' -f1)
}

# job_as USER KIND OPTION...
job_as() {
  local user=$1 kind=$2
  shift 2
  JOB[$kind]=$(runuser -u "$user" -- sbatch --parsable -o /dev/null -J "$kind" "$@" | cut -d';' -f1)
}

# note KIND: gives the job an AdminComment, as the plugin does.
note() { scontrol update "job=${JOB[$1]}" "AdminComment=asbb:0192f0c0ffee-$1"; }

# until_state KIND STATE...: as slurmctld of its origin says.
until_state() {
  local kind=$1 state tries=900
  shift
  while [ $tries -gt 0 ]; do
    state=$(on "${CLUSTER:-onprem}" squeue -a -t all --local -h -j "${JOB[$kind]}" -o %T | sort -u)
    case " $* " in *" $state "*) return 0 ;; esac
    sleep 0.2
    tries=$((tries - 1))
  done
  echo "record-fixtures: job $kind is ${state:-gone}, not $*" >&2
  exit 1
}

jobs_submit() {
  jobs_quick
  jobs_of_a_kind
  jobs_with_odd_texts
  jobs_federated
  jobs_touched
}

jobs_quick() {
  job timeout -p cpu -t 1 --wrap 'sleep 600'
  job completed -p cpu -n 4 --wrap 'sleep 2'
  job completed-two-nodes -p cpu -N 2 -n 20 --mem-per-cpu=500 --wrap 'srun sleep 1'
  job failed -p cpu --wrap 'sleep 1; exit 3'
  job killed-by-signal -p cpu --wrap 'kill -9 $$'
  job_as games other-user -p cpu -A proj002 --wrap 'sleep 1'
  job_as news other-account -p cpu -A nih-r01 --wrap 'sleep 1'
  job hidden-partition -p quiet --wrap 'sleep 1'
  job no-time-limit -p open --wrap 'sleep 1'
  job exclusive -p big --exclusive -t 5 --wrap 'sleep 1'
  job gpu-typed -p big --gres=gpu:v100:1 -c 4 --mem=8G --wrap 'sleep 1'
  job powered-up -p gpu-aws --gres=gpu:a100:2 -c 8 -t 20 --wrap 'sleep 3'
  note powered-up
  CLUSTER=cloud job on-cloud -M cloud -p aws-cpu --wrap 'sleep 1'
  CLUSTER=cloud job on-cloud-gpu -M cloud -p aws-gpu --gpus=1 --wrap 'sleep 1'
}

jobs_of_a_kind() {
  job array -p cpu --array=1-3 --wrap 'sleep 3'
  note array
  job array-cut -p cpu --array=1-8%2 --wrap 'sleep 600'
  job array-waiting -p cpu --array=5-90:5,95%4 -H --wrap true
  JOB[het]=$(sbatch --parsable -o /dev/null -J het -p cpu -n 2 : \
    -p big -n 1 --gres=gpu:v100:1 --wrap 'srun sleep 2')
  job het-waiting -H -p cpu -n 2 : -p big -n 1 --wrap true
  job held -p cpu -H --wrap true
  note held
  job begins-later -p cpu --begin=now+1hour --wrap true
  job dependent -p cpu -d "afterok:${JOB[held]}" --wrap true
  job partition-list -p cpu,big -H --wrap true
  job missed-deadline -p cpu -H -t 1 --deadline=now+65seconds --wrap true
}

jobs_with_odd_texts() {
  local two_lines=$'two\nlines'
  job odd-pipe -p cpu -J 'a|b|c' --comment='x|y' --wrap true
  job odd-quotes -p cpu -J "it's \"quoted\"" --comment='{"json": ["\\", 1]}' --wrap true
  job odd-newline -p cpu -J "$two_lines" --comment="$two_lines" --wrap true
  job odd-spaces -p cpu -J '  spaces  and	tab ' --wrap true
  job odd-backslash -p cpu -J 'back\slash\n' --wrap true
  job odd-unicode -p cpu -J $'\xc3\xbcmlaut \xe2\x82\xac' --wrap true
  job odd-bytes -p cpu -J $'not\xffutf8' --wrap true
  job odd-empty -p cpu -J '' --wrap true
  job odd-comment -p cpu -H --wrap true
  scontrol update "job=${JOB['odd-comment']}" \
    "AdminComment=an administrator's | note, \"quoted\" asbb:0192f0c0ffee"
}

jobs_federated() {
  job sibling-either --wrap 'sleep 1'
  job sibling-cloud --cluster-constraint=cloud --wrap 'sleep 1'
  job sibling-waiting -H --wrap true
}

# What becomes of a job that somebody touches.
jobs_touched() {
  job cancelled-pending -p cpu -H --wrap true
  job_as games cancelled-pending-by-user -p cpu -A proj002 -H --wrap true
  job cancelled-running -p cpu --wrap 'sleep 600'
  job requeued -p cpu --requeue --wrap 'sleep 15'
  job suspended -p cpu --wrap 'sleep 600'
  job resumed -p cpu --wrap 'sleep 30'
  job resized -p open -N 2 -n 2 --wrap 'sleep 30'
  job node-failed -p gpu-aws -w gpu-aws-4 --no-requeue --wrap 'sleep 600'
  job node-failed-requeued -p gpu-aws -w gpu-aws-4 --requeue --wrap 'sleep 600'
  job running -p cpu -t 30 --wrap 'sleep 600'
  note running
  note cancelled-running
  note requeued
  scancel "${JOB['cancelled-pending']}"
  runuser -u games -- scancel "${JOB['cancelled-pending-by-user']}"
  until_state requeued RUNNING
  sleep 2
  scontrol requeue "${JOB[requeued]}"
  until_state cancelled-running RUNNING
  scancel "${JOB['cancelled-running']}"
  until_state resized RUNNING
  sleep 1
  scontrol update "job=${JOB[resized]}" NumNodes=1
  for kind in suspended resumed; do
    until_state $kind RUNNING
    scontrol suspend "${JOB[$kind]}"
  done
  until_state node-failed RUNNING
  until_state running RUNNING
  sleep 2
  scontrol resume "${JOB[resumed]}"
  scancel "${JOB['array-cut']}_[3-8]"
  scontrol update nodename=gpu-aws-4 state=down reason=fixture
  # last: what waits for resources is in the way of what comes after it
  job too-large -p cpu -N 2 -n 32 --mem-per-cpu=2000 --wrap true
  sleep 3
}

jobs_end() {
  until_state timeout TIMEOUT
  until_state requeued COMPLETED
  scancel -u root
  scancel -u games
  on cloud scancel -u root
  until_state running CANCELLED
  sleep 3
}

# What squeue shows of the memory that was asked for: of jobs that wait, of jobs that run.
jobs_with_memory() {
  local state form hold
  for state in waits runs; do
    hold=()
    [ "$state" = runs ] || hold=(-H)
    for form in mem=0 mem=1000 mem=1536 mem-per-cpu=1500; do
      job "$state-$form" -p cpu "${hold[@]}" -t 60 -n 2 "--$form" --wrap 'sleep 600'
    done
    job "$state-many-mem=1000" -p cpu "${hold[@]}" -t 60 -n 6 --mem=1000 --wrap 'sleep 600'
    job "$state-default" -p cpu "${hold[@]}" -t 60 -n 2 --wrap 'sleep 600'
    job "$state-array" -p cpu "${hold[@]}" -t 60 --array=0-1 --mem=2000 --wrap 'sleep 600'
    [ "$state" = waits ] || until_state runs-array RUNNING
    for form in mem=0 mem=1000 mem=1536 mem-per-cpu=1500 many-mem=1000 default array; do
      note "$state-$form"
    done
  done
}

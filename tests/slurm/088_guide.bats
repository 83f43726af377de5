#!/usr/bin/env bats
# What docs/dual-accounting.md says that Slurm does, read from its tables: the lines of the guide that circulates, and those
# that are right. The tests follow each other.

load helpers

GUIDE=$SLURM_TESTS/../../docs/dual-accounting.md

setup_file() {
  local programs year
  programs=$(programs_folder)
  bed_up --plugin "$programs/lib/slurm/job_submit_budget.so" \
    --plugstack "budget_service_url=http://localhost:@PORT@ socket=@SOCKET@ timeout_ms=1000"
  export PATH=$programs/bin:$PATH GATE=$BED/asbb
  service_start "$GATE"
  year=$(date -u +%Y)
  asbb prices import "$SLURM_TESTS/../../examples/dual/prices.yaml"
  asbb account create --name=proj001 --budget=1000USD --budget=1000core-hours --start="$year-01-01" --end="$year-12-31"
  printf '#!/bin/sh\nexec sleep 600\n' >"$BED/job.sh"
  wait_until 30 grep -q '^partition cpu deny' "$BED_RUN/policy.onprem"
  wait_until 30 grep -q '^partition aws-cpu deny' "$BED_RUN/policy.cloud"
  : >"$BED/tried"
}

teardown_file() { gate_down; }

# row START: the row of a table of the guide whose first cell begins with it; WRONG, SAYS and RIGHT are its cells. In Slurm's words: what
# stands in backquotes.
row() {
  local found
  found=$(grep -F "| \`$1" "$GUIDE")
  [ "$(wc -l <<<"$found")" = 1 ]
  IFS='|' read -r _ WRONG SAYS RIGHT _ <<<"$found"
  echo "$WRONG" >>"$BED/tried"
}
# code TEXT N: its Nth words in backquotes.
code() { grep -o '`[^`]*`' <<<"$1" | sed -n "${2:-1}s/\`//gp"; }
# The commands of the guide as they stand there.
of_guide() { grep -qxF "    $1" "$GUIDE" && eval "$1"; }
federations() { sacctmgr -n -P show cluster format=Cluster,Federation,Features | sort | paste -sd' '; }
together='cloud|hybrid_cluster|aws,cloud onprem|hybrid_cluster|onprem'

# fails_with LINE FILE TEXT COMMAND...: on a copy of the cluster's files with that line more.
fails_with() {
  local line=$1 file=$2 text=$3
  shift 3
  rm -rf "$BED/wrong"
  cp -a "$BED/etc/${WHERE:-onprem}" "$BED/wrong"
  echo "$line" >>"$BED/wrong/$file"
  SLURM_CONF=$BED/wrong/slurm.conf run timeout 30 "$@"
  echo "$line: $* -> $status $output"
  [ "$status" = 1 ]
  [[ $output == *"$text"* ]]
}

@test "lines of slurm.conf and slurmdbd.conf that end every daemon and command" {
  row 'TRESBillingWeights=...`'
  line=$(code "$WRONG")
  fails_with "${line/.../\"CPU=1.0\"}" slurm.conf "$(code "$SAYS")" sinfo
  fails_with "${line/.../\"CPU=1.0\"}" slurm.conf "$(code "$SAYS")" slurmctld -D
  unknown=$(code "$SAYS")
  row 'Federation='
  for key in 1 2 3; do
    fails_with "$(code "$WRONG" $key)x" slurm.conf "$unknown" sinfo
    fails_with "$(code "$WRONG" $key)x" slurm.conf "$unknown" slurmctld -D
    WHERE=dbd fails_with "$(code "$WRONG" $key)x" slurmdbd.conf "$unknown" slurmdbd -D
  done
  row 'AccountingStorageLoc='
  fails_with "$(code "$WRONG")x" slurm.conf 'fatal: The AccountingStorageLoc option has been removed' slurmctld -D
  row 'AccountingStoreJobComment=YES'
  fails_with "$(code "$WRONG")" slurm.conf 'fatal: The AccountingStoreJobComment option has been removed' slurmctld -D
  grep -qx "$(code "$RIGHT")" "$BED/etc/onprem/slurm.conf" # with which the controller runs
}

@test "commands of sacctmgr that do not exist, and those that do" {
  for wrong in 'sacctmgr modify cluster X' 'sacctmgr modify partition' 'sacctmgr dump cluster' 'sacctmgr load cluster'; do
    row "$wrong"
    command=$(code "$WRONG")
    command=${command/ X / onprem } command=${command/%=.../=CPU=1}
    run eval "${command/%.../cpu set State=DOWN}"
    echo "$command -> $status $output"
    [ "$status" = 1 ]
    grep -qiF "$(code "$SAYS")" <<<"$output"
  done
  row 'sacctmgr modify cluster X'
  weigh=$(code "$RIGHT")
  onprem ${weigh/%.../CPU=2}
  onprem scontrol -o show partition cpu | grep -q 'TRESBillingWeights=CPU=2$'
  sacctmgr -iQ modify account proj001 cluster=onprem set MaxJobs=7
  sacctmgr -iQ modify account proj001 cluster=cloud set MaxJobs=3
  row 'sacctmgr dump cluster'
  eval "$(code "$RIGHT")"
  row 'sacctmgr load cluster'
  eval "$(code "$RIGHT" 2)"
  [ "$(sacctmgr -n -P show assoc cluster=cloud account=proj001 user= format=MaxJobs)" = 7 ]
  [ "$(federations)" = "$together" ]
}

@test "commands of sacctmgr that take a cluster out of its federation, which asbb puts right" {
  [ "$(federations)" = "$together" ]
  row 'sacctmgr add cluster onprem'
  command=$(code "$WRONG")
  run ${command% *}
  [ "$status" = 1 ]
  [[ $output == *"$(code "$SAYS")"* ]]
  [ "$(federations)" = "$together" ]
  eval "${command/sacctmgr/sacctmgr -i}"
  [ "$(federations)" = 'cloud|hybrid_cluster|aws,cloud onprem||' ]
  configure() { asbb slurm configure --federation=hybrid_cluster --clusters=onprem,cloud "$@"; }
  configure --write
  sacctmgr -iQ modify cluster onprem set features=onprem
  [ "$(federations)" = "$together" ]
  sacctmgr -iQ add federation other
  row 'sacctmgr modify federation other'
  command=$(code "$WRONG")
  eval "${command/sacctmgr/sacctmgr -i}"
  [ "$(federations)" = 'cloud|hybrid_cluster|aws,cloud onprem|other|onprem' ]
  run configure --write
  [ "$status" = 1 ]
  [[ $output == *"Cluster onprem is in federation 'other'"* ]]
  sacctmgr -iQ delete federation other
  configure --write
  [ "$(federations)" = "$together" ]
  row 'sacctmgr modify cluster onprem set Federation=other'
  command=$(code "$WRONG")
  run eval "${command/sacctmgr/sacctmgr -i}"
  [ "$status" = 0 ]
  [[ $output == *"The federation other doesn't exist."* ]]
  [ "$(federations)" = "$together" ]
}

@test "every row about slurm.conf and sacctmgr was tried but those of other tests" {
  row 'AccountingStorageEnforce=associations,limits,qos`' # the last test
  diff <(sort -u "$BED/tried") <(sed -n '/^| line of the guide/,/^$/p' "$GUIDE" | tail -n +3 |
    sed -n 's/^|\([^|]*\)|.*/\1/p' | grep -v 'billing of a dollar amount' | sort)
}

@test "the commands of the guide do what it says, word for word" {
  "$SLURM_TESTS/bed" restart-controllers "$BED"
  sacctmgr -iQ modify cluster cloud set features=
  of_guide 'sacctmgr -i modify cluster cloud set features=cloud'
  [ "$(federations)" = 'cloud|hybrid_cluster|cloud onprem|hybrid_cluster|onprem' ]
  run of_guide 'asbb slurm configure --prolog'
  echo "$output"
  [ "$status" = 0 ]
  [[ $output == *"prolog-slurmctld is PrologSlurmctld already. Add to it: setsid "*"asbb slurm notify"* ]]
  run of_guide 'asbb slurm fence --cluster=cloud --unit=USD --dry-run'
  echo "$output"
  [[ $output == *proj001* ]]
  [ -z "$(sacctmgr -n -P show assoc cluster=cloud account=proj001 user= format=GrpTRESMins)" ]
  run of_guide 'asbb prices review --start=2025-06-01 --end=2025-06-30'
  echo "$output"
  [ "$status" = 0 ]
  [[ $output == *"No job ran, and nothing was charged."*"Partition quiet of onprem has no price"* ]]
}

siblings_of() {
  squeue -M onprem -a --json | jq -r --argjson job "$1" '.jobs[] | select(.job_id == $job) | .federation_siblings_viable'
}

# submits COMMAND: one of the guide, held, with a time; JOB is its number.
submits() {
  cd "$BED"
  held_before=$(held)
  run eval "${1/sbatch/sbatch -H -t 60 -o /dev/null --parsable}"
  echo "$1 -> $status $output"
  [ "$status" = 0 ]
  JOB=$(grep -oE '^[0-9]+' <<<"$output")
}
held() { echo "$(of_unit proj001 USD held) $(of_unit proj001 core-hours held)"; }
# What the last job had held, in dollars and core-hours.
held_more() { echo "$held_before $(held)" | awk '{ printf "%g %g", $3 - $1, $4 - $2 }'; }
# Also what was submitted by a try that failed.
cancel_all() {
  onprem scancel --account=proj001
  cloud scancel --account=proj001
  held_nothing() { [ "$(held)" = '0 0' ]; }
  wait_until 60 held_nothing
}

@test "jobs go where the table of submissions says" {
  plugin_answers() { sbatch --test-only -A proj001 -t 1 "$BED/job.sh"; }
  wait_until 30 plugin_answers
  cancel_all
  row 'sbatch -A proj001 job.sh'
  submits "$(code "$WRONG")"
  [ "$(held_more)" = '0.051 1.2' ]
  row 'sbatch --cloud job.sh'
  for way in 1 2; do
    submits "$(code "$WRONG" $way)"
    [ "$(siblings_of "$JOB")" = cloud ]
    [ "$(held_more)" = '0.051 0' ]
  done
  row 'sbatch -M cloud job.sh'
  submits "$(code "$WRONG")"
  [ "$(held_more)" = '0.051 0' ]
  [ "$(cloud squeue --local -h -j "$JOB" -o %a)" = proj001 ]
  row 'sbatch --budget=proj001 job.sh'
  submits "$(code "$WRONG")"
  [ "$(held_more)" = '0.051 1.2' ]
  [ "$(onprem squeue --local -h -j "$JOB" -o %a)" = proj001 ]
  row 'sbatch -p aws-cpu'
  run $(code "$WRONG") -A proj001 -t 1 "$BED/job.sh"
  [ "$status" = 1 ]
  [[ $output == *"$(code "$SAYS")"* ]]
  submits "$(code "$SAYS" 2) -A proj001 job.sh"
  [ "$(held_more)" = '0.051 0' ]
  cancel_all
}

# enforces WORDS: what the controllers of the bed enforce from now on.
enforces() {
  sed -i "s/^AccountingStorageEnforce=.*/AccountingStorageEnforce=$1/" "$BED"/etc/{onprem,cloud}/slurm.conf
  "$SLURM_TESTS/bed" restart-controllers "$BED"
}

@test "without 'safe' a job starts that cannot end inside GrpTRESMins, with it none does" {
  row 'AccountingStorageEnforce=associations,limits,qos`'
  sacctmgr -iQ modify account proj001 cluster=onprem set GrpTRESMins=cpu=5
  line=$(code "$WRONG")
  enforces "${line#*=}"
  starts() { JOB=$(onprem run_sbatch -M onprem -A proj001 -p cpu -t 60 "$BED/job.sh"); }
  wait_until 30 starts
  wait_for_job "$JOB" RUNNING
  cancel_all
  enforces "${line#*=},$(code "$RIGHT")"
  wait_until 30 starts
  waits() { [ "$(onprem squeue --local -h -j "$JOB" -o '%T %r')" = 'PENDING AssocGrpCPUMinutesLimit' ]; }
  wait_until 30 waits
  cancel_all
}

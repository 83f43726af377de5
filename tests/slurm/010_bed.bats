#!/usr/bin/env bats
# The bed itself: real clusters on loopback that run jobs and end without a trace.

load helpers

setup_file() { bed_up --suspend-seconds 5; }
teardown_file() { bed_down; }

# A zombie, which has no command line, has ended.
ended() { ! tr '\0' ' ' <"/proc/$1/cmdline" | grep -q .; }

# Local addresses (in hex) of all sockets on which the bed's processes listen.
listening_addresses() {
  local pid inodes
  inodes=$(while read -r pid; do readlink "/proc/$pid/fd/"*; done < <(cat "$BED_RUN"/pid/*) |
    sed -n 's/^socket:\[\([0-9]*\)\]$/\1/p')
  awk -v inodes="$inodes" '
    BEGIN { count = split(inodes, list, "\n"); for (i = 1; i <= count; i++) ours[list[i]] = 1 }
    $4 == "0A" && ($10 in ours) { sub(/:.*/, "", $2); print $2 }' /proc/net/tcp /proc/net/tcp6
}

@test "every daemon listens on 127.0.0.1 and nowhere else" {
  run listening_addresses
  [ "$status" = 0 ]
  # mariadbd, slurmdbd, two slurmctld and four slurmd
  [ "${#lines[@]}" = 8 ]
  for address in "${lines[@]}"; do
    [ "$address" = 0100007F ]
  done
}

@test "both clusters see each other in one federation" {
  run onprem scontrol show federation
  [[ $output == *"Federation: hybrid_cluster"*"Sibling:    cloud:"*"Synced:Yes"* ]]
  run cloud scontrol show federation
  [[ $output == *"Federation: hybrid_cluster"*"Sibling:    onprem:"*"Synced:Yes"* ]]
}

@test "the service's readers understand what these daemons say" {
  run "$(programs_folder)/tests/slurm_live_test"
  echo "$output"
  [ "$status" = 0 ]
}

@test "a job completes on each cluster and slurmdbd knows" {
  here=$(run_sbatch -p cpu -n 2 --wrap 'sleep 1')
  there=$(cloud run_sbatch -M cloud -p aws-cpu)
  wait_for_job "$here" COMPLETED
  wait_for_job "$there" COMPLETED cloud
  wait_for_accounting "$here" Cluster,State,Account,AllocCPUS "onprem|COMPLETED|proj001|2"
  wait_for_accounting "$there" Cluster,State,Account,AllocCPUS "cloud|COMPLETED|proj001|1" cloud
}

@test "a federated job runs on the cluster that is asked for" {
  job=$(run_sbatch --cluster-constraint=cloud)
  wait_for_job "$job" COMPLETED cloud
  wait_for_job "$job" REVOKED onprem
}

@test "a job on gpu-aws powers its node up, which is powered down again when idle" {
  [[ $(node_state gpu-aws-2) == *CLOUD*POWERED_DOWN* ]]
  job=$(run_sbatch -p gpu-aws -w gpu-aws-2 --gres=gpu:1 --wrap 'sleep 1')
  wait_for_job "$job" COMPLETED
  [[ $(node_state gpu-aws-2) != *POWERED_DOWN* ]]
  wait_for_accounting "$job" State,NodeList,AllocTRES \
    "COMPLETED|gpu-aws-2|billing=1,cpu=1,gres/gpu:a100=1,gres/gpu=1,mem=1000M,node=1"
  # the time it took to boot is not the job's
  [ "$(accounting "$job" ElapsedRaw)" -le 3 ]
  powered_down() { [[ $(node_state gpu-aws-2) == *POWERED_DOWN* ]]; }
  wait_until 30 powered_down
}

@test "an account can be used only by those who have an association with it" {
  run run_sbatch -p cpu -A proj002
  [ "$status" != 0 ]
  [[ $output == *"Invalid account"* ]]
  [ "$(id -u)" = 0 ] || return 0
  run as_user games sbatch -p cpu -A proj001 -o /dev/null --wrap true
  [ "$status" != 0 ]
  run as_user games sbatch -p cpu -A proj002 -o /dev/null --wrap true
  [ "$status" = 0 ]
}

@test "a hook in epilog.d hears of each job's end" {
  hook=$BED/etc/epilog.d/note
  # shellcheck disable=SC2016 # expanded by the hook
  printf '#!/bin/sh\necho "$SLURM_JOB_ID $SLURM_JOB_ACCOUNT" >>%s\n' "$BED/log/ended" >"$hook"
  chmod 755 "$hook"
  job=$(run_sbatch -p cpu)
  wait_until 20 grep -qx "$job proj001" "$BED/log/ended"
  rm "$hook"
}

@test "both controllers restart together and go on" {
  job=$(run_sbatch -p cpu --wrap 'sleep 2')
  "$SLURM_TESTS/bed" restart-controllers "$BED"
  wait_for_job "$job" COMPLETED
  job=$(run_sbatch -p cpu)
  wait_for_job "$job" COMPLETED
}

@test "a folder with spaces and a plugin that is not there are refused" {
  run "$SLURM_TESTS/bed" up "$BED/a b"
  [ "$status" = 1 ]
  [[ $output == *"no spaces"* ]]
  run "$SLURM_TESTS/bed" plugin "$BED" "$BED/none.so"
  [ "$status" = 1 ]
  [[ $output == *"no such plugin"* ]]
}

sleeping() { grep -qsaz '^4711\.25$' /proc/[0-9]*/cmdline; }

@test "down ends every process, jobs included" {
  [ -z "${ASBB_TEST_BED:-}" ] || return 0
  job=$(run_sbatch -p cpu --wrap 'exec sleep 4711.25')
  wait_for_job "$job" RUNNING
  wait_until 5 sleeping
  pids=$(cat "$BED_RUN"/pid/*)
  "$SLURM_TESTS/bed" down "$BED"
  for pid in $pids; do
    wait_until 2 ended "$pid"
  done
  run sleeping
  [ "$status" != 0 ]
}

@test "two beds that choose their ports at the same moment get different ones" {
  # shellcheck source=tests/slurm/lib/layout.bash
  . "$SLURM_TESTS/lib/layout.bash"
  cksum() { echo "17 0"; }
  mkdir "$BATS_TEST_TMPDIR/one" "$BATS_TEST_TMPDIR/other"
  BED=$BATS_TEST_TMPDIR/one
  layout_choose_ports
  one=$BED_PORT
  layout_choose_ports
  [ "$BED_PORT" = "$one" ]
  BED=$BATS_TEST_TMPDIR/other
  layout_choose_ports
  another=$BED_PORT
  [ "$another" != "$one" ]
  rmdir "$BATS_TEST_TMPDIR/one"
  layout_choose_ports
  [ "$BED_PORT" = "$one" ]
  rm "/tmp/bed-ports.$one" "/tmp/bed-ports.$another"
}

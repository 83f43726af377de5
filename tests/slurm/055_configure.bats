#!/usr/bin/env bats
# `asbb slurm configure` on real clusters that know nothing of asbb, and the options that sbatch then has.

load helpers

setup_file() {
  local programs
  programs=$(programs_folder)
  bed_up || return 1
  export PATH=$programs/bin:$PATH GATE=$BED/asbb
  service_start "$GATE" || return 1
  export OBJECT=$programs/lib/slurm/job_submit_budget.so
  # every node of a bed is this machine
  printf '#!/bin/sh\nshift\nexec "$@"\n' >"$BED/look"
  chmod 755 "$BED/look"
}
teardown_file() { gate_down; }

configuration() { cat "$BED"/etc/*/*.conf* | sha256sum; }

@test "without the object in Slurm's plugin folder, or with one of another version, nothing is written" {
  before=$(configuration)
  run asbb slurm configure --service-user="$(id -un)" --write
  echo "$output"
  [ "$status" = 1 ]
  [[ $output == *"slurmctld would not start"* ]]
  [ "$(configuration)" = "$before" ]
  sbatch -o /dev/null -p cpu -t 1 --wrap true
}

@test "it writes what is missing, both controllers start with it, and a second time there is nothing to do" {
  cp "$OBJECT" "$BED/plugins/job_submit_budget.so"
  run asbb slurm configure --service-user="$(id -un)" --write --check-nodes="$BED/look"
  echo "$output"
  [ "$status" = 0 ]
  grep -qx 'JobSubmitPlugins=budget' "$BED/etc/onprem/slurm.conf"
  grep -q '^required job_submit_budget.so' "$BED/etc/cloud/plugstack.conf"
  ls "$BED"/etc/onprem/slurm.conf.before-asbb-*
  before=$(configuration)
  run asbb slurm configure --service-user="$(id -un)" --write --check-nodes="$BED/look"
  echo "$output"
  [ "$status" = 0 ]
  [ "$(configuration)" = "$before" ]
  "$SLURM_TESTS/bed" restart-controllers "$BED"
  grep -q "asbb: cluster onprem: budget service at $BED_SERVICE_SOCKET" "$BED/log/slurmctld-onprem.log"
}

@test "sbatch, salloc and srun show the options, and sbatch says nothing when they are not used" {
  for program in sbatch salloc srun; do
    run "$program" --help
    [[ $output == *--cloud* ]]
    [[ $output == *--budget=ACCOUNT* ]]
  done
  asbb prices import "$SLURM_TESTS/../../examples/demo/prices.yaml"
  service_knows_clusters
  submits() { sbatch -o /dev/null -p quiet -t 1 --wrap true; }
  wait_until 60 submits
  run sbatch -o /dev/null -p quiet -t 1 --wrap true
  [ "$status" = 0 ]
  [[ $output =~ ^"Submitted batch job "[0-9]+$ ]]
  run sbatch -o /dev/null -p quiet -t 1 --budget='a b' --wrap true
  [ "$status" != 0 ]
  [[ $output == *"--budget: this is not the name of an account"* ]]
}

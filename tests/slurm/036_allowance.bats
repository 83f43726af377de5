#!/usr/bin/env bats
# What an account may spend while the budget service is away: jobs are let through until it is used up, also by a
# controller that was killed in between; then all is charged exactly, and it is as before.

load helpers

setup_file() {
  export GATE_PLUGIN_ARGUMENTS=timeout_ms=200
  gate_up
  service_stop "$GATE"
  sed -i 's/sweep_grace_min: .*/sweep_grace_min: 5s/' "$ASBB_CONFIG_FILE"
  cat >>"$ASBB_CONFIG_FILE" <<END
  on_unavailable:
    partitions: {cpu: allow}
    without_allowance: deny
    allowances:
      onprem:
        proj001: {amount: 1, unit: USD}
END
  service_run "$GATE"
}
teardown_file() { gate_down; }

policy() { grep "^$1 " "$BED_RUN/policy.onprem"; }

funded() { policy allowance | grep -q '^allowance proj001 [1-9][0-9]* 1000000 USD 1200000 '; }

# As many minutes as three and a half jobs of one node can have for the allowance.
minutes() {
  local node_hour
  read -r _ _ _ node_hour _ <<<"$(policy 'rate cpu')"
  echo $((3600 * 1000000 / (node_hour * 6 / 5 * 60 * 7 / 2)))
}

offline() { run_sbatch -A "${1:-proj001}" -p cpu -n 1 -t "$(minutes)" --wrap 'sleep 2'; }

# What it has not written to its disk within some seconds is lost, and the ids come again. A patience of three seconds is
# a proof that need not wait for longer.
kill_controller() {
  echo MessageTimeout=3 | tee -a "$BED/etc/onprem/slurm.conf" >>"$BED/etc/cloud/slurm.conf"
  sleep 6
  kill -9 "$(cat "$BED_RUN/pid/slurmctld-onprem")" "$(cat "$BED_RUN/pid/slurmctld-cloud")"
  BED_QUIET=1 "$SLURM_TESTS/bed" start-controllers "$BED" onprem cloud
}

@test "it is set aside and published" {
  wait_until 30 funded
  [ "$(balance proj001 held)" = 1 ]
  policy spender | grep -q "^spender $(id -u) proj001 proj001"
  asbb service status --output json | jq -e '.allowances == [{cluster: "onprem", account: "proj001", unit: "USD", amount: 1, left: 1}]'
}

@test "jobs are let through until it is used up, also after the controller was killed" {
  policy allowance >"$GATE/first"
  service_stop "$GATE"
  jobs=("$(offline)" "$(offline)")
  [[ $(onprem scontrol -o show job "${jobs[0]}") =~ AdminComment=asbb=[0-9a-f]{44}' 'asbb-allowance=[0-9]+:[0-9]+:1 ]]
  kill_controller
  jobs+=("$(offline)")
  run offline
  [ "$status" != 0 ]
  echo "$output"
  [[ $output == *"asbb: The budget service does not answer. Until it does, account proj001 may spend 1 USD on this cluster"* ]]
  [[ $output == *"USD of it is left."* ]]
  run offline nih-r01
  [ "$status" != 0 ]
  [[ $output == *"asbb: The budget service does not answer, and this account has no allowance"* ]]
  run_sbatch -A nih-r01 -p quiet
  echo "${jobs[@]}" >"$GATE/jobs"
}

published_anew() { funded && ! policy allowance | cmp -s - "$GATE/first"; }

@test "the service is back: they are charged what sacct says, out of it, and there is another one" {
  service_run "$GATE"
  wait_until 30 published_anew
  charged() {
    asbb transactions proj001 --type=charge --output json | jq -r '.[].job_id' | sort -u >"$GATE/charged"
    [ "$(tr ' ' '\n' <"$GATE/jobs" | sort)" = "$(cat "$GATE/charged")" ]
  }
  wait_until 60 charged
  [ "$(asbb transactions proj001 --type=overrun --output json | jq length)" = 0 ]
  asbb transactions proj001 --limit=10000 --output json >"$GATE/proj001.json"
  asbb transactions nih-r01 --limit=10000 --output json >"$GATE/nih-r01.json"
  sacct -M onprem -D -X -P -n --noconvert -a -S now-1day -A proj001,nih-r01 \
    --format=Cluster,JobID,Partition,State,ElapsedRaw,Start,AllocTRES,NodeList >"$GATE/sacct.txt"
  "$SLURM_TESTS/verify_charges" "$SLURM_TESTS/../../examples/demo/prices.yaml" "$GATE/sacct.txt" \
    "$GATE/proj001.json" "$GATE/nih-r01.json"
}

@test "nothing but the new one stays held, and the audit is clean" {
  as_before() { [ "$(balance proj001 held)" = 1 ]; }
  wait_until 90 as_before
  run asbb audit verify
  [ "$status" = 0 ]
  run_sbatch -A proj001 -p cpu -n 1 -t 1
}

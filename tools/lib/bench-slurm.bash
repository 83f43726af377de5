# The stage of tools/bench-slurm: a bed, a service with money, and the turns of one round. Sourced from the project's folder.
# shellcheck shell=bash disable=SC2154 # variables are shared with tools/bench-slurm, BED_* come from the bed

. tests/slurm/lib/service.bash
# shellcheck source=tools/lib/bench.bash
. tools/lib/bench.bash

# The defaults: what is measured is what is installed.
service_intervals() { :; }

# Ended jobs leave slurmctld soon, so that no turn has those of the turns before it in its way.
bench_start() {
  local year
  year=$(date -u +%Y)
  bed=$(mktemp -d "$(cd "$disk" && pwd)/slurm.XXXXXX")
  work=$bed/asbb
  BED_QUIET=1 tests/slurm/bed up "$bed" --plugin "$build/lib/slurm/job_submit_budget.so" \
    --plugstack "budget_service_url=http://localhost:@PORT@ socket=@SOCKET@ ${BENCH_PLUGIN_ARGUMENTS:-}" \
    --slurm-conf "MinJobAge=2" --slurm-conf "MaxJobCount=100000"
  eval "$(tests/slurm/bed env "$bed")"
  export PATH=$build/bin:$build/tests:$PATH
  service_start "$work"
  asbb prices import examples/demo/prices.yaml
  asbb account create --name=proj001 --budget=1000000000 --start="$year-01-01" --end="$year-12-31"
  service_knows_clusters
  sed "s,@URL@,http://127.0.0.1:$BED_SERVICE_PORT/health," bench/rivals/job_submit.lua >"$BED/etc/onprem/job_submit.lua"
  printf '#!/bin/sh\ntrue\n' >"$work/job.sh"
} >&2

bench_ended() { # STATUS
  trap - EXIT
  [[ -z ${work:-} ]] || service_stop "$work"
  [[ $1 -eq 0 || -z ${work:-} ]] || tail -n 20 "$work"/*.log "$bed"/log/slurmctld-onprem.log >&2 || true
  [[ -z ${bed:-} ]] || BED_QUIET=1 tests/slurm/bed down "$bed" --wipe || true
  [[ -z ${work:-} ]] || rm -rf "$bed"
  exit "$1"
}

# plugin_is NAME|none: what slurmctld asks about a submission from now on.
plugin_is() {
  sed -i '/^JobSubmitPlugins=/d' "$BED/etc/onprem/slurm.conf"
  [[ $1 == none ]] || echo "JobSubmitPlugins=$1" >>"$BED/etc/onprem/slurm.conf"
  scontrol reconfigure
  sleep 0.3
}

# through_libslurm COUNT CLIENTS PARTITION; the jobs stay on this cluster, so that there is one controller to measure.
through_libslurm() {
  submit_load --json --count="$1" --processes="$2" account=proj001 "partition=$3" time_limit=10 priority=0 \
    cluster_features=onprem
}

# started COUNT CLIENTS COMMAND...: with sbatch's options behind it.
started() {
  submit_load --json --count="$1" --processes="$2" -- "${@:3}" --account=proj001 --partition=cpu --time=10 --hold \
    --output=/dev/null "$work/job.sh"
}

holds_open() { curl -fsS --unix-socket "$BED_SERVICE_SOCKET" http://localhost/metrics | sed -n 's/^asbb_holds_open //p'; }

# holds_become COUNT TRIES COMMAND...: within that many turns of COMMAND; a hold that came after the plugin's deadline is given
# back in the batch behind it.
holds_become() {
  local tries=$2
  until [[ $(holds_open) -eq $1 ]]; do
    tries=$((tries - 1))
    [[ $tries -gt 0 ]] || { echo "bench-slurm: $(holds_open) holds are open, not $1" >&2 && return 1; }
    "${@:3}"
  done
}

# What ended is settled at once.
settle() {
  asbb reconcile 1 --cluster=onprem >/dev/null 2>&1 || true
  sleep 0.3
}

# turn VARIANT CLIENTS COMMAND...: runs it, writes down what it said, and takes the jobs away again. What asbb let in has
# to be held in its ledger, job for job.
turn() {
  local said
  said=$("${@:3}" 2>>"$work/refusals.log") || [[ $? -eq 3 ]]
  jq -c --arg variant "$1" --argjson round "$round" '. + {variant: $variant, round: $round}' <<<"$said" >>"$work/runs"
  [[ $1 != plugin ]] || holds_become "$(jq .accepted <<<"$said")" 50 sleep 0.1
  scancel --user="$(id -un)" --state=PENDING
  [[ $1 != plugin ]] || holds_become 0 200 settle
}

# Each variant once with one client and once with eight. Who begins changes from round to round.
bench_round() {
  local turns=(none_at_all with_asbb with_curl) at clients
  for clients in 1 8; do
    for ((at = 0; at < ${#turns[@]}; at++)); do
      "${turns[(at + round) % ${#turns[@]}]}" "$clients"
    done
  done
}

# share DIVISOR CLIENTS: how many submissions a turn has; eight clients twice as many as one.
share() {
  local count=$((submissions * ($2 > 1 ? 2 : 1) / $1))
  echo $((count < $2 ? $2 : count))
}

none_at_all() { # CLIENTS
  plugin_is none
  through_libslurm 20 1 cpu >/dev/null
  turn alone "$1" through_libslurm "$(share 1 "$1")" "$1" cpu
  turn sbatch "$1" started "$(share 10 "$1")" "$1" sbatch
  turn wrapper "$1" started "$(share 25 "$1")" "$1" bench/rivals/sbatch_with_check
}

with_asbb() { # CLIENTS
  plugin_is budget
  through_libslurm 20 1 quiet >/dev/null
  turn plugin "$1" through_libslurm "$(share 1 "$1")" "$1" cpu
  turn free "$1" through_libslurm "$(share 1 "$1")" "$1" quiet
}

with_curl() { # CLIENTS
  plugin_is lua
  turn curl "$1" through_libslurm "$(share 10 "$1")" "$1" cpu
}

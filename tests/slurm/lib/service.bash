# A budget service beside a bed: its folder has the settings, the database, the chain's key and the log. Used by tools/demo and
# by the tests; programs come from PATH.
# shellcheck shell=bash disable=SC2154 # BED_* are exported by `bed env`

# Shorter than the defaults, so that tests need not wait as long as a site would.
service_intervals() {
  cat <<END
  refresh_interval: 5s
  reconcile_interval: 3s
  rescan_interval: 5s
  sweep_grace_min: 20s
${SERVICE_VIEW_MAX_AGE:+  view_max_age: $SERVICE_VIEW_MAX_AGE}
END
}

service_configuration() { # FOLDER
  cat <<END
service:
  listen_addr: "127.0.0.1:$BED_SERVICE_PORT"
  socket: $BED_SERVICE_SOCKET
database:
  driver: sqlite
  dsn: $1/asbb.db
  chain_key_file: $1/chain.key
slurm:
  user: $(id -un)
$(service_intervals)
  clusters:
    - name: onprem
      conf: $BED_ONPREM_CONF
    - name: cloud
      conf: $BED_CLOUD_CONF
END
}

service_start() { # FOLDER
  mkdir -p "$1"
  export ASBB_CONFIG_FILE=$1/config.yaml
  service_configuration "$1" >"$ASBB_CONFIG_FILE"
  asbb database migrate >"$1/migrate.log" 2>&1 || {
    cat "$1/migrate.log" >&2
    return 1
  }
  service_run "$1"
  service_hook
}

# Starts it on what is there.
service_run() { # FOLDER
  setsid asbb-service --config "$1/config.yaml" </dev/null >>"$1/service.log" 2>&1 3>&- 4>&- &
  echo $! >"$1/service.pid"
  disown
  local tries=150
  until asbb account list >/dev/null 2>&1; do
    tries=$((tries - 1))
    if [ $tries -le 0 ] || ! kill -0 "$(cat "$1/service.pid")" 2>/dev/null; then
      cat "$1/service.log" >&2
      return 1
    fi
    sleep 0.2
  done
}

# Each job's end wakes the reconciler.
service_hook() {
  cat >"$BED/etc/epilog.d/asbb" <<END
#!/bin/sh
export ASBB_CONFIG_FILE=$ASBB_CONFIG_FILE
exec $(command -v asbb) slurm notify --quiet --cluster "\$SLURM_CLUSTER_NAME" --job-id "\$SLURM_JOB_ID"
END
  chmod 755 "$BED/etc/epilog.d/asbb"
}

service_stop() { # FOLDER
  [ -s "$1/service.pid" ] || return 0
  local pid tries=100
  pid=$(cat "$1/service.pid")
  rm -f "$1/service.pid"
  tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -qF "$1/config.yaml" || return 0
  kill -CONT "$pid" 2>/dev/null || true
  kill "$pid" 2>/dev/null || true
  while kill -0 "$pid" 2>/dev/null && [ $tries -gt 0 ]; do
    tries=$((tries - 1))
    sleep 0.1
  done
  ! kill -0 "$pid" 2>/dev/null || kill -9 "$pid"
}

# The policy files of the plugin are written once the service has read both clusters and the prices.
service_knows_clusters() {
  local tries=300
  until grep -qs '^partition gpu-aws deny' "$BED_RUN/policy.onprem" && [ -s "$BED_RUN/policy.cloud" ]; do
    tries=$((tries - 1))
    [ $tries -gt 0 ] || return 1
    sleep 0.1
  done
}

balance() { # ACCOUNT held|used|available
  asbb account show "$1" --output json | jq -r ".budget_$2"
}

of_unit() { # ACCOUNT UNIT held|used|available
  asbb account show "$1" --output json | jq -r --arg unit "$2" ".budgets[] | select(.unit == \$unit) | .$3"
}

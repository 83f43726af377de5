# Starting and stopping a bed's daemons in order.
# shellcheck shell=bash disable=SC2154 # BED, BED_RUN and the like are set by layout.bash

start_all() {
  start_munged
  start_mariadb
  start_slurmdbd
  clusters_seed
  start_controllers onprem cloud
  start_nodes
  wait_controllers onprem cloud
  accounts_seed
  wait_nodes
  wait_federation
  warn_unreadable
  say "up: $BED (ports from $BED_PORT, logs in $BED/log)"
}

start_munged() {
  running munged || start_daemon munged munged --foreground --force \
    --key-file="$BED/etc/munge.key" --socket="$BED_RUN/munge.sock" \
    --pid-file="$BED_RUN/munged.pid" --log-file="$BED/log/munged.log" \
    --seed-file="$BED/state/munge.seed" --num-threads=4
}

start_mariadb() {
  if ! running mariadb; then
    # a mariadbd that starts deletes the temporary tables of every other one in its tmpdir
    mkdir -p "$BED/mysql-tmp"
    if [ ! -d "$BED/mysql/mysql" ]; then
      mariadb-install-db --no-defaults --user="$(id -un)" --datadir="$BED/mysql" --tmpdir="$BED/mysql-tmp" \
        --skip-test-db --auth-root-authentication-method=normal --skip-name-resolve --force \
        >"$BED/log/mariadb-install.log" 2>&1 || {
        rm -rf "$BED/mysql"
        fail_with_log "mariadb-install-db failed" mariadb "$BED/log/mariadb-install.log"
      }
    fi
    start_daemon mariadb mariadbd --no-defaults --user="$(id -un)" --datadir="$BED/mysql" --tmpdir="$BED/mysql-tmp" \
      --socket="$BED_RUN/mariadb.sock" --port="$(port_of mariadb)" \
      --bind-address=127.0.0.1 --pid-file="$BED_RUN/mariadb.pid" --skip-name-resolve \
      --innodb-buffer-pool-size=64M --innodb-log-file-size=32M \
      --innodb-lock-wait-timeout=900 --innodb-flush-log-at-trx-commit=0 \
      --innodb-flush-method=nosync --innodb-doublewrite=0 \
      --log-error="$BED/log/mariadb.log"
  fi
  wait_daemon munged "$BED/log/munged.log" munge -n -S "$BED_RUN/munge.sock"
  wait_daemon mariadb "$BED/log/mariadb.log" sql 'select 1'
  sql "create user if not exists slurm@'127.0.0.1' identified by 'slurm'"
  local database
  for database in slurm_acct_db slurm_acct_db_cloud; do
    sql "create database if not exists $database; grant all on $database.* to slurm@'127.0.0.1'"
  done
}

sql() { mariadb --no-defaults -u root -S "$BED_RUN/mariadb.sock" -e "$1"; }

start_slurmdbd() {
  # slurmdbd finds its own configuration beside what SLURM_CONF names, which need not exist
  running slurmdbd || start_daemon slurmdbd env SLURM_CONF="$BED/etc/dbd/slurm.conf" slurmdbd -D
  if are_independent; then
    running slurmdbd-cloud ||
      start_daemon slurmdbd-cloud env SLURM_CONF="$BED/etc/dbd-cloud/slurm.conf" slurmdbd -D
    wait_daemon slurmdbd-cloud "$BED/log/slurmdbd-cloud.log" on cloud sacctmgr -n show cluster
  fi
  wait_daemon slurmdbd "$BED/log/slurmdbd.log" on onprem sacctmgr -n show cluster
}

# on CLUSTER COMMAND...: a client command against that cluster.
on() {
  local cluster=$1
  shift
  SLURM_CONF="$BED/etc/$cluster/slurm.conf" "$@"
}

# Both federated controllers start together: one after the other leaves the federation unsynced.
start_controllers() {
  local cluster
  for cluster in "$@"; do
    running "slurmctld-$cluster" || start_daemon "slurmctld-$cluster" \
      env SLURM_CONF="$BED/etc/$cluster/slurm.conf" \
      slurmctld -D -f "$BED/etc/$cluster/slurm.conf"
  done
}

wait_controllers() {
  local cluster
  for cluster in "$@"; do
    wait_daemon "slurmctld-$cluster" "$BED/log/slurmctld-$cluster.log" controller_up "$cluster"
  done
}

controller_up() { on "$1" scontrol ping | grep -q UP; }

known_clusters() {
  local cluster
  for cluster in "$@"; do
    case $cluster in
    onprem | cloud) ;;
    *) die "no such cluster: $cluster (onprem, cloud)" ;;
    esac
  done
}

restart_controllers() {
  known_clusters "$@"
  stop_daemons "${@/#/slurmctld-}"
  start_controllers "$@"
  wait_controllers "$@"
  wait_federation
}

start_nodes() {
  local node cluster
  for node in $BED_NODES_STATIC; do
    case " $BED_NODES_ONPREM " in
    *" $node "*) cluster=onprem ;;
    *) cluster=cloud ;;
    esac
    running "slurmd-$node" || start_daemon "slurmd-$node" \
      env SLURM_CONF="$BED/etc/$cluster/slurm.conf" \
      slurmd -D -N "$node" -f "$BED/etc/$cluster/slurm.conf"
  done
}

nodes_state() {
  local cluster
  for cluster in onprem cloud; do
    on "$cluster" sinfo --local -h -N -n "${BED_NODES_STATIC// /,}" -o '%N %T'
  done | sort -u | tr '\n' ';'
}

nodes_up() {
  [ "$(nodes_state | tr ';' '\n' | grep -cE ' (idle|mixed|allocated|completing)$')" = "$(wc -w <<<"$BED_NODES_STATIC")" ]
}

wait_nodes() {
  local node end=$((SECONDS + 60))
  until nodes_up; do
    for node in $BED_NODES_STATIC; do
      running "slurmd-$node" ||
        fail_with_log "slurmd of $node ended" "slurmd-$node" "$BED/log/slurmd-$node.log"
    done
    [ $SECONDS -le $end ] || fail_with_log "not all nodes came up: $(nodes_state)" \
      slurmctld-onprem "$BED/log/slurmctld-onprem.log"
    sleep 0.1
  done
}

federation_synced() {
  local cluster
  for cluster in onprem cloud; do
    on "$cluster" scontrol show federation | grep -q Synced:Yes || return 1
  done
}

# Controllers that met while one of them was not listening yet stay apart: stopping and starting both
# is the cure.
wait_federation() {
  ! are_independent || return 0
  local try
  for try in 1 2 3; do
    wait_until $((try * 15)) federation_synced && return
    [ "$try" = 3 ] && break
    stop_daemons slurmctld-onprem slurmctld-cloud
    start_controllers onprem cloud
    wait_controllers onprem cloud
  done
  on onprem scontrol show federation >&2 || true
  fail_with_log "the federation did not sync" slurmctld-onprem "$BED/log/slurmctld-onprem.log"
}

# Other users than the one who runs the bed need to read its configuration.
warn_unreadable() {
  local folder=$BED/etc/onprem
  while [ "$folder" != / ]; do
    case $(stat -c %A "$folder") in
    *x | *t) ;;
    *) say "other users cannot use this bed: $folder is closed to them" && return ;;
    esac
    folder=$(dirname "$folder")
  done
}

any_running() {
  local file
  for file in "$BED_RUN"/pid/*; do
    [ -e "$file" ] && running "${file##*/}" && return 0
  done
  return 1
}

status_all() {
  local file name state=0
  for name in munged mariadb slurmdbd $(dbd_of cloud) slurmctld-onprem slurmctld-cloud; do
    running "$name" || { echo "$name stopped" && state=1; }
  done
  for file in "$BED_RUN"/pid/*; do
    name=${file##*/}
    ! running "$name" || echo "$name $(pid_of "$name")"
  done
  return $state
}

# Jobs first, while the controllers can still tell the nodes to end them.
stop_all() {
  local cluster file
  for cluster in onprem cloud; do
    running "slurmctld-$cluster" || continue
    on "$cluster" timeout 5 squeue --local -a -h -o %A 2>/dev/null |
      on "$cluster" timeout 10 xargs -r scancel --quiet 2>/dev/null || true
  done
  wait_until 4 not steps_left || true
  local nodes=()
  for file in "$BED_RUN"/pid/slurmd-*; do
    [ ! -e "$file" ] || nodes+=("${file##*/}")
  done
  stop_daemons slurmctld-onprem slurmctld-cloud "${nodes[@]}"
  kill_steps
  stop_daemons slurmdbd slurmdbd-cloud
  stop_daemons mariadb munged
}

# slurmstepd keeps a socket per step in its node's spool folder.
steps_left() { compgen -G "$BED_RUN/spool/*/*_[0-9]*.[0-9]*" >/dev/null; }

# What a step left behind when its node died: slurmstepd by its open log file, then its children.
kill_steps() {
  local pid children=()
  steps_left || return 0
  for pid in /proc/[0-9]*; do
    pid=${pid#/proc/}
    [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = slurmstepd ] || continue
    readlink "/proc/$pid/fd/"* 2>/dev/null | grep -qF -e "$BED/" -e "$BED_RUN/" || continue
    read -ra children < <(cat "/proc/$pid/task/"*/children 2>/dev/null) || true
    kill -9 "${children[@]}" "$pid" || true
  done 2>/dev/null
  rm -f "$BED_RUN"/spool/*/*_[0-9]*.[0-9]*
}

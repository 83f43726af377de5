# Processes of a bed: started, watched and stopped by process id. Sourced by `bed`; sets no traps.
# shellcheck shell=bash disable=SC2154 # BED and BED_RUN are set by layout.bash

die() {
  printf 'bed: %s\n' "$*" >&2
  exit 1
}

say() { [ -n "${BED_QUIET:-}" ] || printf 'bed: %s\n' "$*" >&2; }

# wait_until SECONDS COMMAND...: true as soon as COMMAND is.
wait_until() {
  local end=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -le $end ] || return 1
    sleep 0.05
  done
}

# Process ids are reused: a pid of ours must still be a process that names this bed.
pid_is_ours() {
  local pid=$1
  kill -0 "$pid" 2>/dev/null || return 1
  # a zombie has an empty command line and has ended
  tr '\0' '\n' <"/proc/$pid/cmdline" 2>/dev/null | grep -qF -e "$BED/" -e "$BED_RUN/" && return 0
  tr '\0' '\n' <"/proc/$pid/environ" 2>/dev/null | grep -qF "SLURM_CONF=$BED/"
}

pid_of() { cat "$BED_RUN/pid/$1" 2>/dev/null; }

running() {
  local pid
  pid=$(pid_of "$1") && [ -n "$pid" ] && pid_is_ours "$pid"
}

# start_daemon NAME COMMAND...: runs it in the foreground of its own session, output to a log, so
# that its process id is known at once and an early death is seen at once.
start_daemon() {
  local name=$1
  shift
  local preload=()
  [ -z "${BED_HOSTNAME_WRAPPER:-}" ] || preload=(
    "LD_PRELOAD=libnss_wrapper.so" "NSS_WRAPPER_HOSTNAME=localhost"
    "NSS_WRAPPER_HOSTS=$BED/etc/hosts"
  )
  (
    cd "$BED/log" || exit
    for fd in /proc/self/fd/*; do
      fd=${fd##*/}
      [ "$fd" -le 2 ] || eval "exec $fd>&-" 2>/dev/null || true
    done
    exec env "${preload[@]}" setsid "$@" </dev/null >>"$BED/log/$name.out" 2>&1
  ) &
  echo $! >"$BED_RUN/pid/$name"
  disown $! 2>/dev/null || true
}

# wait_daemon NAME LOG COMMAND...: until COMMAND succeeds; stops early when the daemon died.
wait_daemon() {
  local name=$1 log=$2 end=$((SECONDS + 60))
  shift 2
  until "$@" >/dev/null 2>&1; do
    # before its exec it is a shell that names nothing of the bed
    running "$name" || { sleep 1 && running "$name"; } ||
      fail_with_log "$name ended while starting" "$name" "$log"
    [ $SECONDS -le $end ] ||
      fail_with_log "$name did not answer within 60 s ($*)" "$name" "$log"
    sleep 0.05
  done
}

fail_with_log() {
  printf 'bed: %s\n' "$1" >&2
  local file
  for file in "$BED/log/$2.out" "$3"; do
    [ -s "$file" ] || continue
    printf -- '--- the end of %s\n' "$file" >&2
    tail -n 15 "$file" >&2
  done
  exit 1
}

# stop_daemons NAME...: SIGTERM to all of them, then SIGKILL to what is left after 15 s.
stop_daemons() {
  local name pid
  for name in "$@"; do
    ! running "$name" || kill "$(pid_of "$name")" 2>/dev/null || true
  done
  for name in "$@"; do
    if ! wait_until 15 not running "$name"; then
      pid=$(pid_of "$name")
      say "$name ($pid) ignored SIGTERM for 15 s: killed"
      kill -9 "$pid" 2>/dev/null || true
      wait_until 2 not running "$name" || true
    fi
    rm -f "$BED_RUN/pid/$name"
  done
}

not() { ! "$@"; }

need_programs() {
  local program missing=()
  for program in munged munge mariadbd mariadb-install-db mariadb mariadb-admin slurmdbd \
    slurmctld slurmd sacctmgr scontrol squeue sbatch perl; do
    command -v "$program" >/dev/null || missing+=("$program")
  done
  [ ${#missing[@]} -eq 0 ] ||
    die "not installed: ${missing[*]} (run tools/setup slurm)"
}

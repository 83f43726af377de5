# Where a bed lives: its folder, its run folder (short, for unix sockets), its ports.
# DIR/bed.env records what was chosen; it is read back by every later command.
# shellcheck shell=bash disable=SC2034 # read by the other parts of the bed

BED_PORTS_PER_BED=24 # mariadb, 1 or 2 slurmdbd, 2 controllers, 10 to 15 nodes, the budget service
BED_NODES_ONPREM="cpu-1 cpu-2 big-1 gpu-aws-1 gpu-aws-2 gpu-aws-3 gpu-aws-4"
BED_NODES_CLOUD="cpu-aws-1 aws-gpu-1 aws-gpu-2"
BED_NODES_STATIC="cpu-1 cpu-2 big-1 cpu-aws-1"
BED_NODES_MIXED="ht-1 ht-2 fat-1 dual-1 odd-1" # of the profile `mixed`
BED_NODES_SELECTS_ONPREM="ht-1"                # of the profile `selects`
BED_NODES_SELECTS_CLOUD="lin-1 lin-2"

layout_folder() {
  case $1 in
  *[[:space:]]*) die "the folder of a bed must have no spaces in its name: $1" ;;
  esac
  [ "$2" != up ] || mkdir -p "$1" || die "cannot create $1"
  if [ -d "$1" ]; then BED=$(cd "$1" && pwd -P); else BED=$1; fi
  case $BED in
  *[[:space:]]*) die "the folder of a bed must have no spaces in its name: $BED" ;;
  / | /etc | /tmp | /usr | /var | "$HOME") die "not in $BED" ;;
  esac
}

layout_load() {
  [ -f "$BED/bed.env" ] || return 1
  # shellcheck source=/dev/null
  . "$BED/bed.env"
  layout_profile
}

layout_profile() {
  case " $BED_NODES_ONPREM " in *" ht-1 "*) return 0 ;; esac
  local onprem="" cloud=""
  case ${BED_PROFILE:-} in
  mixed) onprem=$BED_NODES_MIXED ;;
  selects) onprem=$BED_NODES_SELECTS_ONPREM cloud=$BED_NODES_SELECTS_CLOUD ;;
  *) return 0 ;;
  esac
  BED_NODES_ONPREM+=" $onprem"
  BED_NODES_CLOUD+="${cloud:+ $cloud}"
  BED_NODES_STATIC+=" $onprem${cloud:+ $cloud}"
}

are_independent() { [ "${BED_CLUSTERS:-}" = independent ]; }

# Options given to this `up` win over those recorded by an earlier one.
layout_ensure() {
  local user=${BED_SERVICE_USER:-} boot=${BED_BOOT_SECONDS:-} suspend=${BED_SUSPEND_SECONDS:-}
  local profile=${BED_PROFILE:-} clusters=${BED_CLUSTERS:-}
  layout_load || true
  BED_PROFILE=${profile:-${BED_PROFILE:-}}
  BED_CLUSTERS=${clusters:-${BED_CLUSTERS:-}}
  layout_profile
  BED_SERVICE_USER=${user:-${BED_SERVICE_USER:-$(id -un)}}
  BED_BOOT_SECONDS=${boot:-${BED_BOOT_SECONDS:-1}}
  BED_SUSPEND_SECONDS=${suspend:-${BED_SUSPEND_SECONDS:-20}}
  chmod 755 "$BED"
  layout_run_folder
  if [ -z "${BED_PORT:-}" ] || { ! any_running && ! ports_free "$BED_PORT"; }; then
    layout_choose_ports
  fi
  layout_hostname
  mkdir -p "$BED"/{etc/{onprem,cloud,dbd,dbd-cloud,epilog.d},log,state/{onprem,cloud},bin,plugins}
  mkdir -p "$BED_RUN"/{pid,spool}
  chmod 755 "$BED_RUN"
  {
    echo "# written by tests/slurm/bed"
    for name in BED_RUN BED_PORT BED_SERVICE_USER BED_BOOT_SECONDS BED_SUSPEND_SECONDS \
      BED_HOSTNAME BED_HOSTNAME_WRAPPER BED_PROFILE BED_CLUSTERS; do
      printf '%s=%q\n' "$name" "${!name}"
    done
  } >"$BED/bed.env"
}

# A unix socket's path has at most 107 bytes, and slurmstepd's is RUN/spool/NODE/NODE_JOBID.STEPID.
layout_run_folder() {
  if [ -n "${BED_RUN:-}" ] && [ -d "$BED_RUN" ]; then return; fi
  BED_RUN=$BED/run
  [ ${#BED_RUN} -le 50 ] || BED_RUN=$(mktemp -d "${TMPDIR:-/tmp}/bed.XXXXXX")
  [ ${#BED_RUN} -le 50 ] || BED_RUN=$(mktemp -d /tmp/bed.XXXXXX)
}

# Slurm's daemons bind to what the host's own name resolves to. Where that is not loopback, they
# are told that they are on `localhost`.
layout_hostname() {
  BED_HOSTNAME_WRAPPER=""
  BED_HOSTNAME=$(uname -n)
  local address
  address=$(getent ahostsv4 "$BED_HOSTNAME" 2>/dev/null | awk 'NR == 1 { print $1 }') || true
  BED_HOSTNAME=${BED_HOSTNAME%%.*}
  case ${BED_FORCE_HOSTNAME_WRAPPER:+forced}$address in
  127.*) return ;;
  esac
  LD_PRELOAD=libnss_wrapper.so true 2>&1 | grep -q . &&
    die "this host's name '$BED_HOSTNAME' resolves to '${address:-nothing}', not to loopback:" \
      "run tools/setup slurm (libnss-wrapper), or add 127.0.1.1 $BED_HOSTNAME to /etc/hosts"
  BED_HOSTNAME_WRAPPER=1
  BED_HOSTNAME=localhost
}

# Ports start from a number that the folder's name gives, below the ephemeral ones. A bed listens
# only seconds after it chose: until then a link in /tmp tells the others.
layout_choose_ports() {
  local blocks=500 start try
  start=$(printf '%s' "$BED" | cksum | cut -d' ' -f1)
  for try in $(seq 0 99); do
    BED_PORT=$((20000 + (start + try * 7) % blocks * BED_PORTS_PER_BED))
    ! { ports_free "$BED_PORT" && ports_claim "$BED_PORT"; } || return 0
  done
  die "no $BED_PORTS_PER_BED free ports in a row found between 20000 and 32000"
}

# Free is what no socket has, listening or not; one that waits for late packets (06) is in nobody's way.
ports_free() {
  local hex
  local port
  hex=$(awk '$4 != "06" { sub(/.*:/, "", $2); print $2 }' /proc/net/tcp{,6} 2>/dev/null)
  for port in $(seq "$1" $(($1 + BED_PORTS_PER_BED - 1))); do
    case $'\n'$hex$'\n' in
    *$'\n'$(printf '%04X' "$port")$'\n'*) return 1 ;;
    esac
  done
}

# ports_claim PORT: whether the ports from there on are this bed's. The claim of a bed that is no
# longer there, or has others by now, is taken over.
ports_claim() {
  local claim=/tmp/bed-ports.$1 owner
  ln -sn "$BED" "$claim" 2>/dev/null && return
  owner=$(readlink "$claim") || return 1
  [ "$owner" != "$BED" ] || return 0
  ! { [ -d "$owner" ] && { [ ! -f "$owner/bed.env" ] || grep -qx "BED_PORT=$1" "$owner/bed.env"; }; } || return 1
  ln -snf "$BED" "$claim" 2>/dev/null && [ "$(readlink "$claim")" = "$BED" ]
}

# port_of NAME: where a part of the bed listens.
port_of() {
  local index=0 name
  for name in mariadb slurmdbd slurmctld-onprem slurmctld-cloud $BED_NODES_ONPREM \
    $BED_NODES_CLOUD service slurmdbd-cloud; do
    [ "$name" != "$1" ] || { echo $((BED_PORT + index)) && return; }
    index=$((index + 1))
  done
  die "no port for $1"
}

layout_exports() {
  printf 'export %s=%q\n' BED "$BED" BED_RUN "$BED_RUN" \
    SLURM_CONF "$BED/etc/onprem/slurm.conf" \
    BED_ONPREM_CONF "$BED/etc/onprem/slurm.conf" BED_CLOUD_CONF "$BED/etc/cloud/slurm.conf" \
    BED_MUNGE_SOCKET "$BED_RUN/munge.sock" BED_SERVICE_PORT "$(port_of service)" \
    BED_SERVICE_SOCKET "$BED_RUN/asbb.sock" BED_SERVICE_USER "$BED_SERVICE_USER"
  # shellcheck disable=SC2016 # expanded by the shell that reads it
  echo 'case :$PATH: in *:/usr/sbin:*) ;; *) export PATH=$PATH:/usr/sbin ;; esac'
}

layout_wipe() {
  case $BED_RUN in
  "$BED"/run) ;;
  /?*/bed.*) rm -rf "$BED_RUN" ;;
  esac
  [ "$(readlink "/tmp/bed-ports.${BED_PORT:-}")" != "$BED" ] || rm -f "/tmp/bed-ports.$BED_PORT"
  rm -rf "${BED:?}"/{bed.env,etc,log,state,bin,plugins,run,mysql,mysql-tmp}
  rmdir "$BED" 2>/dev/null || true
}

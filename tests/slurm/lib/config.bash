# Configuration files of a bed, written anew at each start.
# shellcheck shell=bash disable=SC2154 # BED, BED_RUN and the like are set by layout.bash

config_write() {
  local script
  for script in resume suspend prolog-slurmctld epilog-slurmctld; do
    install -m 755 "$BED_HOME/lib/node-scripts/$script" "$BED/bin/$script"
  done
  [ -s "$BED/etc/munge.key" ] ||
    (umask 077 && head -c 1024 /dev/urandom >"$BED/etc/munge.key")
  printf '127.0.0.1 localhost %s\n' "$(uname -n)" >"$BED/etc/hosts"
  config_slurmdbd dbd slurmdbd slurm_acct_db
  ! are_independent || config_slurmdbd dbd-cloud slurmdbd-cloud slurm_acct_db_cloud
  { config_common onprem && config_onprem && config_local onprem; } >"$BED/etc/onprem/slurm.conf"
  { config_common cloud && config_cloud && config_local cloud; } >"$BED/etc/cloud/slurm.conf"
  config_gres
  local cluster
  for cluster in onprem cloud; do
    # nothing here uses cgroups; unless v1 is named, slurmd wants systemd or a mounted hierarchy
    echo "CgroupPlugin=cgroup/v1" >"$BED/etc/$cluster/cgroup.conf"
    if [ -s "$BED/etc/plugstack.line" ]; then
      cp "$BED/etc/plugstack.line" "$BED/etc/$cluster/plugstack.conf"
    else
      : >"$BED/etc/$cluster/plugstack.conf"
    fi
  done
}

# Of what a controller reads when it starts.
config_sum() {
  { cat "$BED"/etc/{onprem,cloud}/{slurm,gres,plugstack}.conf "$BED"/plugins/*.so 2>/dev/null ||
    true; } | cksum
}

# plugin_install SO [ARG...]: what the next configuration loads, in slurmctld and in sbatch.
plugin_install() {
  local so=$1
  shift
  [ -f "$so" ] || die "no such plugin: $so"
  # a new file, never written into the one that a running controller has mapped
  cp "$so" "$BED/plugins/.new" && mv -f "$BED/plugins/.new" "$BED/plugins/job_submit_budget.so"
  chmod 755 "$BED/plugins/job_submit_budget.so"
  printf 'required job_submit_budget.so%s\n' "${*:+ $*}" >"$BED/etc/plugstack.line"
}

plugin_remove() { rm -f "$BED/plugins/job_submit_budget.so" "$BED/etc/plugstack.line"; }

# dbd_of CLUSTER: the daemon that keeps its accounting.
dbd_of() { if are_independent && [ "$1" = cloud ]; then echo slurmdbd-cloud; else echo slurmdbd; fi; }

config_slurmdbd() { # FOLDER DAEMON DATABASE
  (
    umask 077
    cat >"$BED/etc/$1/slurmdbd.conf" <<END
AuthType=auth/munge
AuthInfo=socket=$BED_RUN/munge.sock
DbdHost=localhost
DbdAddr=127.0.0.1
DbdPort=$(port_of "$2")
CommunicationParameters=NoInAddrAny
SlurmUser=$(id -un)
LogFile=$BED/log/$2.log
PidFile=$BED_RUN/$2.pid
DebugLevel=info
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort=$(port_of mariadb)
StorageUser=slurm
StoragePass=slurm
StorageLoc=$3
END
  )
}

config_common() {
  local cluster=$1 me
  me=$(id -un)
  cat <<END
ClusterName=$cluster
SlurmctldHost=$BED_HOSTNAME(127.0.0.1)
SlurmctldPort=$(port_of "slurmctld-$cluster")
SlurmUser=$me
SlurmdUser=$me
CommunicationParameters=NoAddrCache,NoInAddrAny,NoCtldInAddrAny
AuthType=auth/munge
AuthInfo=socket=$BED_RUN/munge.sock,cred_expire=20
CredType=cred/munge
StateSaveLocation=$BED/state/$cluster
SlurmdSpoolDir=$BED_RUN/spool/%n
SlurmctldPidFile=$BED_RUN/slurmctld-$cluster.pid
SlurmdPidFile=$BED_RUN/slurmd-%n.pid
SlurmctldLogFile=$BED/log/slurmctld-$cluster.log
SlurmdLogFile=$BED/log/slurmd-%n.log
SlurmctldDebug=info
SlurmdDebug=info
MpiDefault=none
SwitchType=switch/none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=5
ReturnToService=2
KillWait=2
MinJobAge=300
SlurmdParameters=config_overrides
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=2,bf_interval=3,batch_sched_delay=0
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
PriorityType=priority/multifactor
MailProg=/bin/true
DebugFlags=NO_CONF_HASH
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort=$(port_of "$(dbd_of "$cluster")")
AccountingStoragePass=$BED_RUN/munge.sock
AccountingStorageTRES=gres/gpu,gres/gpu:a100,gres/gpu:v100
AccountingStorageEnforce=associations,limits,qos,safe
AccountingStoreFlags=job_comment
PluginDir=$BED/plugins:$(config_plugin_folder)
GresTypes=gpu
FederationParameters=fed_display
PrivateData=cloud
PrologSlurmctld=$BED/bin/prolog-slurmctld
EpilogSlurmctld=$BED/bin/epilog-slurmctld
ResumeProgram=$BED/bin/resume
SuspendProgram=$BED/bin/suspend
ResumeFailProgram=$BED/bin/suspend
SlurmctldParameters=power_save_interval=1
SuspendTime=$BED_SUSPEND_SECONDS
SuspendTimeout=5
ResumeTimeout=40
SuspendRate=0
ResumeRate=0
TreeWidth=65533
END
  [ ! -s "$BED/etc/plugstack.line" ] || echo "JobSubmitPlugins=budget"
  [ "${BED_PROFILE:-}" != selects ] || selects_common "$cluster"
  [ ! -s "$BED/etc/extra.conf" ] || cat "$BED/etc/extra.conf"
}

config_plugin_folder() {
  local folder
  for folder in /usr/lib/*/slurm-wlm /usr/lib/slurm-wlm /usr/lib/*/slurm /usr/lib64/slurm; do
    [ ! -f "$folder/auth_munge.so" ] || { echo "$folder" && return; }
  done
  die "Slurm's plugin folder was not found under /usr/lib"
}

# config_node NAME ATTRIBUTES...: one machine, simulated by a slurmd of its own port.
config_node() {
  local name=$1
  shift
  echo "NodeName=$name NodeHostname=localhost NodeAddr=127.0.0.1 Port=$(port_of "$name") $*"
}

config_onprem() {
  local n
  echo "SuspendExcNodes=$(static_nodes "$BED_NODES_ONPREM")"
  echo "DefMemPerCPU=1000"
  for n in 1 2; do config_node "cpu-$n" CPUs=16 RealMemory=64000 Features=cascadelake; done
  config_node big-1 CPUs=32 RealMemory=256000 Gres=gpu:v100:2 Features=bigmem,v100
  for n in 1 2 3 4; do
    config_node "gpu-aws-$n" CPUs=16 RealMemory=128000 Gres=gpu:a100:2 \
      Features=cloud,p4d State=CLOUD
  done
  cat <<'END'
PartitionName=cpu Nodes=cpu-[1-2] Default=YES MaxTime=24:00:00 DefaultTime=00:10:00
PartitionName=big Nodes=big-1 MaxTime=7-00:00:00 DefaultTime=01:00:00 DefMemPerCPU=4000
PartitionName=quiet Nodes=cpu-[1-2] Hidden=YES MaxTime=02:00:00 DefaultTime=00:05:00
PartitionName=open Nodes=cpu-[1-2],big-1 MaxTime=UNLIMITED
PartitionName=gpu-aws Nodes=gpu-aws-[1-4] MaxTime=24:00:00 DefaultTime=00:10:00
END
  case ${BED_PROFILE:-} in
  mixed) mixed_onprem ;;
  selects) selects_onprem ;;
  esac
}

# static_nodes NAMES: those that are never powered down, with commas.
static_nodes() {
  local name names=""
  for name in $1; do
    case " $BED_NODES_STATIC " in *" $name "*) names+="${names:+,}$name" ;; esac
  done
  echo "$names"
}

config_cloud() {
  local n
  echo "SuspendExcNodes=$(static_nodes "$BED_NODES_CLOUD")"
  echo "DefMemPerCPU=2000"
  config_node cpu-aws-1 CPUs=16 RealMemory=64000 Features=cloud,c5
  for n in 1 2; do
    config_node "aws-gpu-$n" CPUs=16 RealMemory=128000 Gres=gpu:a100:2 \
      Features=cloud,p4d State=CLOUD
  done
  cat <<'END'
PartitionName=aws-cpu Nodes=cpu-aws-1 Default=YES MaxTime=24:00:00 DefaultTime=00:10:00
PartitionName=aws-gpu Nodes=aws-gpu-[1-2] MaxTime=24:00:00 DefaultTime=00:10:00
END
  [ "${BED_PROFILE:-}" != selects ] || selects_cloud
}

# gres.conf wants a character device for each GPU; any will do.
config_gres() {
  local device
  for device in /dev/null /dev/zero; do
    echo "NodeName=big-1 Name=gpu Type=v100 File=$device"
    echo "NodeName=gpu-aws-[1-4] Name=gpu Type=a100 File=$device"
  done >"$BED/etc/onprem/gres.conf"
  [ "${BED_PROFILE:-}" != mixed ] || mixed_gres >>"$BED/etc/onprem/gres.conf"
  for device in /dev/null /dev/zero; do
    echo "NodeName=aws-gpu-[1-2] Name=gpu Type=a100 File=$device"
  done >"$BED/etc/cloud/gres.conf"
}

# A site's own lines for one cluster.
config_local() {
  [ ! -s "$BED/etc/$1/local.conf" ] || cat "$BED/etc/$1/local.conf"
}

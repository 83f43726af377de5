# The profile `mixed` of a bed: nodes that differ in what moves a price, for tests of the estimate.
# shellcheck shell=bash disable=SC2154 # BED and the like are set by layout.bash

# Hyper-threads, several sockets, GPUs of two types on one node, a type that AccountingStorageTRES
# does not list (h100), and a node that keeps a core and memory for itself.
mixed_onprem() {
  local n every=cpu-[1-2],big-1,ht-[1-2],fat-1,dual-1,odd-1
  for n in 1 2; do
    config_node "ht-$n" CPUs=16 Sockets=2 CoresPerSocket=4 ThreadsPerCore=2 RealMemory=32000 \
      Features=ht,rome
  done
  config_node fat-1 CPUs=16 Sockets=4 CoresPerSocket=4 ThreadsPerCore=1 RealMemory=96000 \
    Features=fat,rome Gres=gpu:v100:4
  config_node dual-1 CPUs=32 Sockets=2 CoresPerSocket=8 ThreadsPerCore=2 RealMemory=64000 \
    Features=ht,milan Gres=gpu:a100:2,gpu:v100:2
  config_node odd-1 CPUs=12 Sockets=2 CoresPerSocket=3 ThreadsPerCore=2 RealMemory=24000 \
    CoreSpecCount=1 MemSpecLimit=2000 Features=odd,milan Gres=gpu:h100:3
  cat <<END
PartitionName=mix Nodes=$every MaxTime=1-00:00:00 DefaultTime=00:30:00
PartitionName=mix-cpu Nodes=$every MaxTime=1-00:00:00 DefaultTime=00:30:00 DefMemPerCPU=500
PartitionName=mix-mem Nodes=$every MaxTime=12:00:00 DefMemPerNode=3000 MaxMemPerCPU=1500
PartitionName=mix-gpu Nodes=$every MaxTime=1-00:00:00 DefaultTime=00:20:00 DefMemPerCPU=500 DefCpuPerGPU=3 DefMemPerGPU=2000
PartitionName=mix-node Nodes=$every MaxTime=1-00:00:00 DefaultTime=00:30:00 OverSubscribe=EXCLUSIVE
PartitionName=mix-type Nodes=$every MaxTime=1-00:00:00 DefaultTime=00:30:00 DefMemPerCPU=500
PartitionName=mix-whole Nodes=$every MaxTime=1-00:00:00 DefaultTime=00:30:00 OverSubscribe=EXCLUSIVE DefMemPerNode=0
PartitionName=mix-share Nodes=$every MaxTime=1-00:00:00 DefaultTime=00:30:00 OverSubscribe=YES:4
PartitionName=mix-part Nodes=$every MaxTime=1-00:00:00 DefaultTime=00:30:00 OverSubscribe=FORCE:2
PartitionName=mix-socket Nodes=$every MaxTime=1-00:00:00 DefaultTime=00:30:00 SelectTypeParameters=CR_Socket_Memory
PartitionName=mix-small Nodes=$every MaxTime=1-00:00:00 DefaultTime=00:30:00 MaxNodes=2 MaxCPUsPerNode=10 MaxMemPerNode=20000
END
}

mixed_gres() {
  local device n=0 devices=(/dev/null /dev/zero /dev/full /dev/random)
  for device in "${devices[@]}"; do
    echo "NodeName=fat-1 Name=gpu Type=v100 File=$device Cores=$((n * 4))-$((n * 4 + 3))"
    n=$((n + 1))
  done
  for n in 0 1; do
    echo "NodeName=dual-1 Name=gpu Type=a100 File=${devices[n]} Cores=0-7"
    echo "NodeName=dual-1 Name=gpu Type=v100 File=${devices[n + 2]} Cores=8-15"
  done
  for device in "${devices[@]:0:3}"; do echo "NodeName=odd-1 Name=gpu Type=h100 File=$device"; done
}

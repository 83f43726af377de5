# The profile `selects` of a bed: other ways to hand out nodes than whole cores, one on each cluster.
# shellcheck shell=bash disable=SC2154 # BED and the like are set by layout.bash

# The last of two equal keys counts for Slurm.
selects_common() {
  case $1 in
  onprem) printf 'SelectTypeParameters=CR_CPU_Memory\n' ;;
  cloud) printf 'SelectType=select/linear\nSelectTypeParameters=CR_Memory\n' ;;
  esac
}

# Single threads of a node with hyper-threads.
selects_onprem() {
  config_node ht-1 CPUs=16 Sockets=2 CoresPerSocket=4 ThreadsPerCore=2 RealMemory=32000 Features=ht
  echo "PartitionName=thread Nodes=cpu-[1-2],big-1,ht-1 MaxTime=1-00:00:00 DefaultTime=00:30:00 DefMemPerCPU=500"
  echo "PartitionName=thread-ht Nodes=ht-1 MaxTime=1-00:00:00 DefaultTime=00:30:00 DefMemPerCPU=500"
}

# Whole nodes, of different sizes.
selects_cloud() {
  config_node lin-1 CPUs=8 Sockets=1 CoresPerSocket=8 ThreadsPerCore=1 RealMemory=16000 Features=c5
  config_node lin-2 CPUs=32 Sockets=2 CoresPerSocket=8 ThreadsPerCore=2 RealMemory=96000 Features=ht,c6
  echo "PartitionName=linear Nodes=cpu-aws-1,lin-[1-2] MaxTime=1-00:00:00 DefaultTime=00:30:00"
}

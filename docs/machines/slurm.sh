#!/bin/bash
# Slurm: sbatch slurm.sh, in the folder that has the pictures, which all nodes see.
#SBATCH --job-name=tf_style
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=32
# Ray ends all that is its own on a node, whoever began it.
#SBATCH --exclusive
#SBATCH --time=04:00:00
#SBATCH --output=tf_style_%j.log
set -euo pipefail

# An environment with tf_style[cluster], on a disk that all nodes see.
source "$HOME/tf_style_env/bin/activate"

# Other users of the nodes reach Ray's ports, but have no token.
RAY_AUTH_TOKEN=$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')
export RAY_AUTH_TOKEN RAY_AUTH_MODE=token RAY_USAGE_STATS_ENABLED=0

first=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
address=$(srun --nodes=1 --ntasks=1 --nodelist="$first" hostname --ip-address | awk '{print $1}'):6379

# Ray starts on all nodes, the command runs on the first, and all end with it.
srun --nodes="$SLURM_JOB_NUM_NODES" --ntasks="$SLURM_JOB_NUM_NODES" \
    --cpus-per-task="$SLURM_CPUS_PER_TASK" \
    ray symmetric-run --address "$address" --min-nodes "$SLURM_JOB_NUM_NODES" \
    --num-cpus="$SLURM_CPUS_PER_TASK" --include-dashboard=false -- \
    tf_style photos painting.jpg painted/ --cluster="$address" --threads=4 --skip_existing \
    --report=report.json

#!/bin/bash
# Slurm: sbatch train.sh, in the folder that has painting and photographs, which all nodes see.
#SBATCH --job-name=tf_style_train
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=32
# For nodes with GPUs, as many on each:
##SBATCH --gpus-per-node=4
#SBATCH --time=01:00:00
#SBATCH --output=tf_style_train_%j.log
set -euo pipefail

# An environment with tf_style, on a disk that all nodes see.
source "$HOME/tf_style_env/bin/activate"

# The same port on all nodes, and another for each job.
port=$((20000 + SLURM_JOB_ID % 20000))
WORKERS=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | sed "s/.*/\"&:$port\"/" | paste -sd, -)
export WORKERS

# If one fails, the others end, too; sbatch again goes on.
srun --cpus-per-task="$SLURM_CPUS_PER_TASK" bash -c '
    task="{\"type\": \"worker\", \"index\": $SLURM_PROCID}"
    export TF_CONFIG="{\"cluster\": {\"worker\": [$WORKERS]}, \"task\": $task}"
    tf_style_train painting.jpg --pictures=photos --output=painting.keras --time_limit=30m \
        --checkpoint=kept --resume'

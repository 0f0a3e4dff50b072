#!/bin/sh
# A reader as the bundled one and a fast brother, calibrated (bundled-cpu goes on from models/minilm-squad), resumable: run
# it again after a kill, or when its time was up. What else was done to those in models/, their cards tell.
#   training/recipes/make_readers.sh TRAIN_FILE [RECIPE] [MINUTES]
# RECIPE: bundled (a GPU) or bundled-cpu. MINUTES: leave with a checkpoint after so long (exit code 3), 0 to the end.
set -eu
cd "$(dirname "$0")/../.."
train=${1:?name the SQuAD training file}
recipe=${2:-bundled}
minutes=${3:-0}
python=${PYTHON:-.venv/bin/python}
excerpt() { "$python" -m cli.main "$@"; }
fast=fast
[ "$recipe" = bundled-cpu ] && fast=fast-cpu

excerpt train "$train" --recipe "$recipe" --stop-after "$minutes"
[ -d runs/fast-start ] || excerpt shrink "runs/$recipe/model" --layers 2,4,6 --out runs/fast-start
excerpt distil "$train" --recipe "$fast" --teacher "runs/$recipe/model" --stop-after "$minutes"
for model in "runs/$recipe/model" "runs/$fast/model" "runs/$fast-2-prediction/model"; do
    [ ! -d "$model" ] || [ -f "$model/calibration.json" ] || excerpt calibrate "$model" "$train"
done
echo "made: runs/$recipe/model and $(ls -d runs/$fast/model "runs/$fast-2-prediction/model" 2>/dev/null)"

#!/bin/sh
# The proof that distillation works: four 3-layer students with one budget (the same number of questions in all, one
# seed), each calibrated; benchmarks/reader/students.py makes the table of them.
#   RECIPE=fast-cpu EPOCHS=0.24 training/recipes/compare_students.sh TRAIN_FILE TEACHER [OPTIONS for every run]
# Run it again after a kill: it goes on where it was.
set -eu
cd "$(dirname "$0")/../.."
train=${1:?name the SQuAD training file}
teacher=${2:?name the teacher\'s folder}
shift 2
recipe=${RECIPE:-fast}
epochs=${EPOCHS:-3}
third=$(awk "BEGIN { print $epochs / 3 }")
rest=$(awk "BEGIN { print $epochs - $third }")
python=${PYTHON:-.venv/bin/python}
students=${STUDENTS:-runs/students}
excerpt() { "$python" -m cli.main "$@"; }
base=sentence-transformers/all-MiniLM-L6-v2

[ -d "$students/copied" ] || excerpt shrink "$teacher" --layers 2,4,6 --out "$students/copied"
[ -d "$students/untaught" ] || excerpt shrink "$base" --layers 2,4,6 --out "$students/untaught"
excerpt train "$train" --recipe "$recipe" --labels-only --model "$students/untaught" --out "$students/labels" \
    --set epochs="$epochs" "$@"
excerpt train "$train" --recipe "$recipe" --labels-only --model "$students/copied" --out "$students/copy" \
    --set epochs="$epochs" "$@"
excerpt distil "$train" --recipe "$recipe" --student "$students/copied" --teacher "$teacher" --stages prediction \
    --out "$students/prediction" --set epochs="$epochs" "$@"
# A third of the budget on hidden states and attention, the rest on the logits.
excerpt distil "$train" --recipe "$recipe" --student "$students/copied" --teacher "$teacher" \
    --stages intermediate,prediction --out "$students/both" --set epochs="$rest" \
    --set distillation.intermediate_epochs="$third" "$@"
for run in labels copy prediction both-2-prediction; do
    [ -f "$students/$run/model/calibration.json" ] || excerpt calibrate "$students/$run/model" "$train" --questions 400
done

#!/bin/sh
# The proof that distillation works: four 3-layer students, same data, epochs and seed; figures in */evaluations.csv.
#   RECIPE=fast-cpu training/recipes/compare_students.sh TRAIN_FILE TEACHER [OPTIONS for every run, such as --set epochs=2]
set -eu
cd "$(dirname "$0")/../.."
train=${1:?name the SQuAD training file}
teacher=${2:?name the teacher\'s folder}
shift 2
recipe=${RECIPE:-fast}
python=${PYTHON:-.venv/bin/python}
excerpt() { "$python" -m cli.main "$@"; }
base=sentence-transformers/all-MiniLM-L6-v2

[ -d runs/students/copied ] || excerpt shrink "$teacher" --layers 2,4,6 --out runs/students/copied
[ -d runs/students/untaught ] || excerpt shrink "$base" --layers 2,4,6 --out runs/students/untaught
excerpt train "$train" --recipe "$recipe" --labels-only --model runs/students/untaught --out runs/students/labels "$@"
excerpt train "$train" --recipe "$recipe" --labels-only --model runs/students/copied --out runs/students/copy "$@"
excerpt distil "$train" --recipe "$recipe" --student runs/students/copied --teacher "$teacher" --stages prediction \
    --out runs/students/prediction "$@"
excerpt distil "$train" --recipe "$recipe" --student runs/students/copied --teacher "$teacher" \
    --stages intermediate,prediction --out runs/students/both "$@"
for run in labels copy prediction both-2-prediction; do
    echo "$run"; tail -n 1 "runs/students/$run/evaluations.csv"
done

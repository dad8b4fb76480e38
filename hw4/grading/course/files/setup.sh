#!/usr/bin/env bash
# Gradescope runs this once, when it builds the autograder: a Python that is new enough, and what grading needs.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive
root=${AUTOGRADER:-/autograder}
python=python3
apt-get update
if command -v python3 >/dev/null && ! python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
  # Ubuntu 22.04 has Python 3.10, and a 3.11 that was never finished, with which PyTorch does not optimize.
  apt-get install -y software-properties-common
  add-apt-repository -y ppa:deadsnakes/ppa
  python=python3.11
fi
apt-get install -y "$python" "$python-venv"
"$python" -m venv "$root/venv"
# PyTorch's own index has builds without CUDA, which are several GB smaller.
"$root/venv/bin/python" -m pip install --extra-index-url https://download.pytorch.org/whl/cpu \
  -r "$root/source/requirements/running.txt"

"""The same class on a cluster: a scheduler and two workers, one of which is killed while it grades."""

import json
import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from tests.builders import ROOT

pytest.importorskip("distributed")
ASKED = {"q-1-question": "Why?", "q-1-check": "import time; time.sleep(1)\nassert 1", "q-1-answer": "**Answer:**"}


@pytest.fixture
def cluster(tmp_path):
    """Yield the address of a scheduler and its two workers' processes."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    quiet = {"cwd": tmp_path, "env": environment, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    dask = [sys.executable, "-m", "distributed.cli"]
    host, port = address.split(":")
    scheduler = [f"{dask[2]}.dask_scheduler", "--host", host, "--port", port, "--no-dashboard"]
    worker = [f"{dask[2]}.dask_worker", address, "--no-nanny", "--nthreads", "1", "--no-dashboard"]
    started = [subprocess.Popen([*dask[:2], *command], **quiet) for command in (scheduler, worker, worker)]
    yield address, started[1:]
    for process in started:
        process.kill()
        process.wait()


def test_a_cluster_that_loses_a_worker_gives_the_results_of_a_local_run(cluster, notebook, grade, tmp_path):
    address, workers = cluster
    for name in "abcdef":
        (tmp_path / "class" / name).mkdir(parents=True)
        answer = "**Answer:** Because." if name < "d" else "**Answer:**"
        notebook(ASKED | {"q-1-answer": answer}, name=f"class/{name}/hw.ipynb")
    reference = notebook(ASKED, name="reference.ipynb")
    command = [sys.executable, str(ROOT / "main.py"), "class", "--reference", str(reference)]
    far = subprocess.Popen(
        [*command, "--output", "far", "--dask", address],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert any("[1/6]" in line for line in far.stderr)
    time.sleep(0.5)
    workers[0].send_signal(signal.SIGKILL)
    out, err = far.communicate(timeout=200)
    assert far.returncode == 0, err
    assert grade("class", "--output", "near", reference=reference).returncode == 0
    for name in "abcdef":
        one, other = (
            json.loads((tmp_path / place / name / "results.json").read_text())["tests"] for place in ("far", "near")
        )
        assert one == other
        assert (tmp_path / "far" / name / "hw.ipynb").read_bytes() == (
            tmp_path / "near" / name / "hw.ipynb"
        ).read_bytes()

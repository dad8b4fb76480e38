"""Nobody's result depends on anybody else: what a submission notices is the same alone and in any class."""

import gc
import json
import re
import sys
from pathlib import Path

import nbformat
import pytest

import main
from tests.builders import made

if sys.platform != "linux":
    pytest.skip("every process is a fresh one elsewhere", allow_module_level=True)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning"),
]
PROBE = {"q-1-question": "", "probe": Path(__file__).with_name("probe.py").read_text()}
OTHERS = {
    "imports": "import sklearn.datasets, matplotlib.pyplot, PIL.Image, torch._dynamo, scipy.stats, distributed",
    "state": """
import os, random, warnings, numpy, torch
random.seed(3); numpy.random.seed(3); torch.manual_seed(3); torch.set_num_threads(2)
warnings.simplefilter("error"); os.umask(0o77); os.environ["LEFT"] = "1"
open("matplotlibrc", "w").write("lines.linewidth: 9"); open(os.path.expanduser("~/left"), "w").close()
open("/tmp/left", "w").close(); os.chdir("/")""",
}


@pytest.fixture
def noticed(tmp_path, monkeypatch):
    """Return a function that grades a class of `names`, or a single submission, and returns what `probe` noticed."""
    monkeypatch.chdir(tmp_path)
    nbformat.write(made({"q-1-question": "", "uses": "import torch"}), tmp_path / "reference.ipynb")

    def run(names, *options):
        folder = "-".join([*names, *options])
        for number, name in enumerate(names):
            cells = PROBE if name == "probe" else {"q-1-question": "", "other": OTHERS[name]}
            path = tmp_path / folder / f"{number}-{name}" / "hw.ipynb"
            path.parent.mkdir(parents=True)
            nbformat.write(made(cells), path)
        found = tmp_path / folder if len(names) > 1 else path
        main.main([str(found), "--reference", "reference.ipynb", "--output", f"{folder}-out", *options])
        (executed,) = tmp_path.glob(f"{folder}-out/**/*probe/hw.ipynb" if len(names) > 1 else f"{folder}-out/hw.ipynb")
        outputs = nbformat.read(executed, as_version=4).cells[1].outputs
        text = "".join(each.get("text", "") for each in outputs if each.get("name") == "stdout")
        assert text, outputs
        return json.loads(re.sub(r"/tmp/hw4-scratch-\w+/scratch/\d+", "/submission", text))

    yield run
    gc.collect()  # jupyter_client leaves an event loop open in each thread that talks with a kernel


def test_a_submission_notices_the_same_alone_and_anywhere_in_a_class(noticed):
    alone = noticed(["probe"])
    for names, jobs in [
        (["imports", "state", "probe"], "1"),
        (["imports", "state", "probe"], "2"),
        (["probe", "imports"], "2"),
    ]:
        found = noticed(names, "--jobs", jobs)
        for stage, before in zip(found, alone, strict=True):
            for what, value in before.items():
                if what == "processes" and len(value) > 10:  # where it sees those of the system
                    continue
                assert stage[what] == value, (what, names, jobs)


def test_two_runs_give_the_same_random_numbers_and_folders(noticed):
    first, second = noticed(["probe"])[0], noticed(["probe"], "--jobs", "2")[0]
    assert first["random"] == second["random"] and first["hash"] == second["hash"]
    assert first["folders"] == second["folders"] == [f"/submission/{name}" for name in ("work", "home", "tmp")]

"""Processes for a submission's code: forked from a forkserver on Linux, and launched afresh on other systems."""

import contextlib
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

import psutil

from .forked import ForkedProcess, Forkserver
from .limits import Layer
from .program import Program

FORKS = sys.platform == "linux"  # macOS has fork, but its libraries don't survive it
PRELOADED: dict[str, list[str]] = tomllib.loads(Path(__file__).with_name("preloaded.toml").read_text(encoding="utf-8"))
# The variables of our environment that a submission's process sees: nothing that could be a secret.
PASSED_ON = re.compile(
    r"PATH|LANG|LANGUAGE|LC_\w+|TZ|LD_LIBRARY_PATH|CONDA_PREFIX|SYSTEMROOT|(OMP|MKL|OPENBLAS)_NUM_THREADS"
)


def modules_mentioned(texts: Sequence[str]) -> list[str]:
    """Return the modules to preload for a reference with these texts: a kernel's, and those behind the words in them.

    A submission's own texts decide nothing: what is preloaded would be seen by the others of its class.
    """
    mentioned = [word for word in PRELOADED if word == "kernel" or any(word in each for each in texts)]
    return [module for word in mentioned for module in PRELOADED[word]]


class Launcher(contextlib.AbstractContextManager["Launcher"]):
    """Starts programs that compute in `threads` threads; where the system forks, with `modules` imported already.

    `hidden` are files and folders of the grader's that isolated programs may not read, wherever they lie.
    """

    def __init__(self, modules: Sequence[str] = (), threads: int = 1, hidden: Sequence[Path] = ()) -> None:
        self._environment, self.hidden = _environment(threads), tuple(hidden)
        self.forks = FORKS  # where not, no socket can be handed down
        self._forkserver = Forkserver(modules, self._environment) if FORKS else None

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self, program: Program) -> "Process":
        if not self._forkserver:
            return LaunchedProcess(program, self._environment)
        return self._forkserver.fork(program)

    def preload(self, modules: Sequence[str]) -> None:
        """Have more modules imported for what starts from now on, where the system forks."""
        if self._forkserver:
            self._forkserver.preload(modules)

    def release(self, folder: str) -> None:
        """Free what is kept in memory for the scratch folder."""
        if self._forkserver:
            self._forkserver.release(folder)

    def close(self) -> None:
        """End the forkserver, and with it every process that came from it."""
        if self._forkserver:
            self._forkserver.close()


def _environment(threads: int) -> dict[str, str]:
    """Return a submission's environment; our own number of threads, where it is set, goes before `threads`.

    What it holds of Python's and matplotlib's is the same for whoever grades.
    """
    counts = dict.fromkeys(["OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"], str(threads))
    fixed = {"PYTHONHASHSEED": "0", "MATPLOTLIBRC": os.devnull, "TORCH_COMPILE_DEBUG_DIR": "/tmp"}
    fixed["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"  # before ipykernel, which sets it, is imported
    fixed["THP_MEM_ALLOC_ENABLE"] = "1"  # PyTorch's: large tensors cost fewer page faults
    found = counts | fixed | {name: value for name, value in os.environ.items() if PASSED_ON.fullmatch(name)}
    if bash := shutil.which("bash", path=os.defpath):
        found["SHELL"] = bash  # in which IPython runs the commands of a cell; sh does without
    found["PATH"] = os.pathsep.join([os.path.dirname(sys.executable), found.get("PATH", os.defpath)])
    return found


class LaunchedProcess:
    """A process of the ordinary kind, on any system: nothing isolates it."""

    def __init__(self, program: Program, environment: dict[str, str]) -> None:
        # a script imports nothing from its own folder, which is ours; a module imports from the submission's
        option = "-P" if program.argv[0].endswith(".py") else "-m"
        self._process = subprocess.Popen(
            [sys.executable, option, *program.argv],
            cwd=program.folder,
            env=environment | program.environment,
            stdin=program.stdin,
            stdout=program.stdout,
            stderr=program.stderr,
            start_new_session=True,  # Ctrl-C is for the grader
        )
        self.pid = self.root = self._process.pid
        limits = program.isolation.limits.layers(False, False) if program.isolation else []
        self.layers = [Layer("no sandbox"), *limits]

    def poll(self) -> int | None:
        return self._process.poll()

    def send_signal(self, number: int) -> None:
        with contextlib.suppress(ValueError, OSError):  # a signal that the system does not have
            self._process.send_signal(number)

    def kill(self) -> None:
        """Kill the process and its descendants, but for those whose parent has ended."""
        with contextlib.suppress(psutil.Error):
            for descendant in psutil.Process(self.pid).children(recursive=True):
                with contextlib.suppress(psutil.Error):
                    descendant.kill()
        self._process.kill()
        self._process.wait()


Process = ForkedProcess | LaunchedProcess

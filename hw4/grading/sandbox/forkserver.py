"""The forkserver: a process that imports what notebooks need, and forks a child with that done for each program.

Run as a script, never imported: no module of ours may be left in a submission's process. Standard input is a Unix
socket. A message on it is JSON: a scratch folder that is done with, or a program to fork, which comes with descriptors:
the pipe on which its pid, its layers and its exit code are reported, its standard input, output and error, and those
that it inherits besides. Every program starts in the same state, whatever others did before it.
multiprocessing's forkserver was weighed: it cannot isolate its children.
"""

import contextlib
import dataclasses
import fcntl
import gc
import importlib
import json
import os
import random
import runpy
import selectors
import shutil
import signal
import socket
import sys
import tempfile
from pathlib import Path
from types import CodeType

import mounts
from isolation import isolate
from linux import attempt
from program import Isolation, Program, ResourceLimits

LARGEST_MESSAGE, MOST_DESCRIPTORS = 1 << 20, 64  # of a message: bytes, and descriptors
ALL_DESCRIPTORS = 1 << 20


class Forkserver:
    """Forks a child for each program that it is told of over the `connection`."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.reports: dict[int, int] = {}  # the pipes of the children that live, by pid
        self.scratches: dict[str, int] = {}  # what lies below a mounted scratch folder, a descriptor each
        self.selector = selectors.DefaultSelector()
        self.wakeup, signalled = os.pipe()  # a signal writes to the second, which wakes the selector
        for end in (self.wakeup, signalled):
            os.set_blocking(end, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the grader
        signal.set_wakeup_fd(signalled)
        self.selector.register(connection, selectors.EVENT_READ, self.receive)
        self.selector.register(self.wakeup, selectors.EVENT_READ, self.reap)

    def serve(self) -> None:
        """Serve until the other end of the connection is closed; never return in a child."""
        with contextlib.suppress(EOFError):
            while True:
                for key, _ in self.selector.select():
                    key.data()

    def receive(self) -> None:
        """Take a message; raise `EOFError` where the other end is closed."""
        text, descriptors, _, _ = socket.recv_fds(self.connection, LARGEST_MESSAGE, MOST_DESCRIPTORS)
        if not text:
            raise EOFError
        message = json.loads(text)
        if message.get("release") in self.scratches:
            os.close(self.scratches.pop(message["release"]))
            mounts.release_scratch(message["release"])
        if "program" in message:
            report, stdin, stdout, stderr, *others = descriptors
            program = Program(**message["program"])
            if isolation := message["program"]["isolation"]:
                isolation = Isolation(**isolation | {"limits": ResourceLimits(**isolation["limits"])})
            streams = {"stdin": stdin, "stdout": stdout, "stderr": stderr, "descriptors": others}
            self.fork(dataclasses.replace(program, isolation=isolation, **streams), report)

    def fork(self, program: Program, report: int) -> None:
        """Fork a child for the program; `report` is the pipe for its reports."""
        in_memory = program.isolation is not None and self.put_in_memory(program.isolation)
        gc.freeze()  # the collector would touch, and so copy, every page that the children share
        pid = os.fork()
        if pid == 0:
            run(program, report, in_memory)
        self.reports[pid] = report
        for descriptor in (program.stdin, program.stdout, program.stderr, *program.descriptors):
            os.close(descriptor)

    def put_in_memory(self, wanted: Isolation) -> bool:
        """Put the wanted folder into a file system in memory, as far as that can be mounted; return whether it is."""
        with contextlib.suppress(OSError):
            if wanted.shared not in self.scratches:
                self.scratches[wanted.shared] = mounts.mount_scratch(wanted.shared, wanted.limits)
            below, name = self.scratches[wanted.shared], os.path.basename(wanted.folder)
            if not os.path.exists(wanted.folder):
                shutil.copytree(f"/proc/self/fd/{below}/{name}", wanted.folder)
            return True
        return False

    def reap(self) -> None:
        """Report the exit code of each child that has ended."""
        os.read(self.wakeup, 4096)
        while self.reports:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            with (
                contextlib.suppress(OSError),
                os.fdopen(self.reports.pop(pid), "w") as report,
            ):  # its reader may be gone
                report.write(f"{os.waitstatus_to_exitcode(status)}\n")


def run(program: Program, report: int, in_memory: bool) -> None:
    """Run the program as `__main__` in this child of the forkserver, and end with its exit code.

    `in_memory` says whether its scratch folder is a file system in memory.
    """
    code = 1
    try:
        script = prepare(program, report, in_memory)
        sys.argv = program.argv
        if script:
            exec(script, {"__name__": "__main__", "__file__": sys.argv[0]})
        else:
            runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException as error:
        sys.excepthook(type(error), error, error.__traceback__)
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(Exception):
                stream.flush()
        os._exit(code)


def prepare(program: Program, report: int, in_memory: bool) -> CodeType | None:
    """Set up streams, signals, folder and isolation; report pid and layers; return a script's code, or None."""
    gc.enable()
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    kept = [program.stdin, program.stdout, program.stderr, *program.descriptors, report]
    for number, descriptor in enumerate([fcntl.fcntl(each, fcntl.F_DUPFD, 2 * len(kept)) for each in kept]):
        os.dup2(descriptor, number)  # none of the copies, which come first, has one of these low numbers
    os.closerange(len(kept), ALL_DESCRIPTORS)
    report = len(kept) - 1
    tempfile.tempdir = None  # what was imported has asked for it: that was the grader's
    name, layers = program.argv[0], []
    script = compile(Path(name).read_bytes(), name, "exec") if program.is_script else None  # isolation may hide it
    os.chdir(program.folder)
    with os.fdopen(os.dup(report), "w", encoding="ascii") as lines:
        if program.isolation:
            layers = isolate(program.isolation, report, in_memory)
        else:
            os.write(report, b"%d %d\n" % (os.getpid(), os.getpid()))
            os.close(report)
        lines.write(json.dumps([dataclasses.astuple(layer) for layer in layers]) + "\n")
    folder, seen = os.path.dirname(program.folder), os.path.dirname(os.getcwd())  # isolation may have moved it
    os.environ.update({name: value.replace(folder, seen) for name, value in program.environment.items()})
    random.seed(0)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(0)
    if "torch" in sys.modules:
        sys.modules["torch"].default_generator.manual_seed(0)
    return script


if __name__ == "__main__":
    attempt(mounts.enter_namespace)
    folder = sys.path.pop(0)
    for name in [name for name in sys.modules if os.path.exists(f"{folder}/{name}.py")]:
        del sys.modules[name]  # a submission may have a module of this name
    sys.modules["debugpy"] = None  # type: ignore[assignment]  # the kernel does without, and starts sooner
    gc.disable()  # nothing is garbage while modules are imported, and looking for it takes a third of the time
    for name in sys.argv[1:]:
        with contextlib.suppress(ImportError):  # the program that needs it will say that it is missing
            importlib.import_module(name)
    Forkserver(socket.socket(fileno=0)).serve()
    os._exit(0)  # what the children of a process with PyTorch left to tidy up takes longer than they

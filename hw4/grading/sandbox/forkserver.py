"""The forkserver: a process that imports what notebooks need, and forks a child with that done for each program.

Run as a script, never imported: no module of ours may be left in a submission's process. Standard input is a Unix
socket. A message on it is JSON: modules to import besides, or a program to fork, which comes with four descriptors: its
standard input, output and error, and the pipe on which its pid, its layers and its exit code are reported.
multiprocessing's forkserver was weighed: it cannot isolate its children, and imports all its modules before the first.
"""

import contextlib
import dataclasses
import gc
import importlib
import json
import os
import runpy
import selectors
import signal
import socket
import sys
from pathlib import Path
from types import CodeType

from isolation import isolate
from program import Isolation, Program

LARGEST_MESSAGE = 1 << 20  # bytes
REPORT = 3  # the descriptor in a child, next to its streams
ALL_DESCRIPTORS = 1 << 20


class Forkserver:
    """Imports `modules` one by one, and between them forks each program that need not wait for the rest."""

    def __init__(self, connection: socket.socket, modules: list[str]) -> None:
        self.connection, self.modules = connection, modules
        self.waiting: dict[int, tuple[Program, set[str]]] = {}  # by the pipe for reports: what to import before
        self.reports: dict[int, int] = {}  # the pipes of the children that live, by pid
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
                for key, _ in self.selector.select(0 if self.modules or self.waiting else None):
                    key.data()
                for report in [each for each in self.waiting if not self.waiting[each][1] & set(self.modules)]:
                    self.fork(report)
                if self.modules:
                    with contextlib.suppress(ImportError):  # the program that needs it will say that it is missing
                        importlib.import_module(self.modules.pop(0))

    def receive(self) -> None:
        """Take a message; raise `EOFError` where the other end is closed."""
        text, descriptors, _, _ = socket.recv_fds(self.connection, LARGEST_MESSAGE, 4)
        if not text:
            raise EOFError
        message = json.loads(text)
        self.modules += message.get("import", [])
        if "program" in message:
            *streams, report = descriptors
            fields = message["program"] | dict(zip(("stdin", "stdout", "stderr"), streams, strict=True))
            isolation = fields["isolation"] and Isolation(**fields["isolation"])
            self.waiting[report] = Program(**fields | {"isolation": isolation}), set(message["after"])

    def fork(self, report: int) -> None:
        """Fork the program that waits with this pipe."""
        program, _ = self.waiting.pop(report)
        gc.freeze()  # the collector would touch, and so copy, every page that the children share
        pid = os.fork()
        if pid == 0:
            run(program, report)
        self.reports[pid] = report
        for stream in (program.stdin, program.stdout, program.stderr):
            os.close(stream)

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


def run(program: Program, report: int) -> None:
    """Run the program as `__main__` in this child of the forkserver, and end with its exit code."""
    code = 1
    try:
        script = prepare(program, report)
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


def prepare(program: Program, report: int) -> CodeType | None:
    """Set up streams, signals, folder and isolation; report pid and layers; return a script's code, or None."""
    gc.enable()
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, descriptor in enumerate((program.stdin, program.stdout, program.stderr, report)):
        os.dup2(descriptor, number)
    os.closerange(REPORT + 1, ALL_DESCRIPTORS)
    os.environ.update(program.environment)
    name, layers = program.argv[0], []
    script = compile(Path(name).read_bytes(), name, "exec") if program.is_script else None  # isolation may hide it
    os.chdir(program.folder)
    with os.fdopen(os.dup(REPORT), "w", encoding="ascii") as lines:
        if program.isolation:
            layers = isolate(program.isolation, REPORT)
        else:
            os.write(REPORT, b"%d\n" % os.getpid())
            os.close(REPORT)
        lines.write(json.dumps([dataclasses.astuple(layer) for layer in layers]) + "\n")
    return script


if __name__ == "__main__":
    folder = sys.path.pop(0)
    for name in [name for name in sys.modules if os.path.exists(f"{folder}/{name}.py")]:
        del sys.modules[name]  # a submission may have a module of this name
    sys.modules["debugpy"] = None  # type: ignore[assignment]  # the kernel does without, and starts sooner
    gc.disable()  # nothing is garbage while modules are imported, and looking for it takes a third of the time
    Forkserver(socket.socket(fileno=0), sys.argv[1:]).serve()
    os._exit(0)  # what the children of a process with PyTorch left to tidy up takes longer than they

"""The warm process: it has imported what notebooks need, and each child that it forks starts with that done.

Run as a script by `warm.py`, never imported: our own package must not be in the memory of a submission's kernel.
Standard input is a Unix socket. A request on it is a line of JSON: the modules to import besides, or a child to fork,
with four file descriptors: its standard input, output and error, and the pipe on which its pid and later its exit
status are reported.
"""

import contextlib
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

WAKE = 1  # what the selector calls the pipe on which a signal writes; the socket is None


def main(modules):
    from isolation import isolate

    sys.path.pop(0)  # our own folder
    sys.modules["debugpy"] = None  # the kernel does without, and starts sooner
    gc.disable()  # nothing is garbage while modules are imported, and looking for it takes a third of the time
    serve(socket.socket(fileno=0), modules, isolate)
    os._exit(0)  # what the children of a process with PyTorch left to tidy up takes longer than they


def serve(connection, modules, isolate):
    """Import `modules` one by one, and between them fork a child for each request that need not wait for the rest."""
    ends, wake = os.pipe()
    for end in (ends, wake):
        os.set_blocking(end, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for who started us
    signal.set_wakeup_fd(wake)
    waiting, reports = [], {}  # requests; the pipes of the children that live, by pid
    with selectors.DefaultSelector() as selector:
        selector.register(connection, selectors.EVENT_READ)
        selector.register(ends, selectors.EVENT_READ, WAKE)
        while True:
            for key, _ in selector.select(0 if modules or waiting else None):
                if key.data == WAKE:
                    os.read(ends, 4096)
                    reap(reports)
                    continue
                text, pipes, _, _ = socket.recv_fds(connection, 1 << 20, 4)
                if not text:
                    return
                request = json.loads(text)
                if "import" in request:
                    modules += request["import"]
                else:
                    waiting.append((request, pipes))
            for request, pipes in [each for each in waiting if not set(each[0]["after"]) & set(modules)]:
                waiting.remove((request, pipes))
                gc.freeze()  # the collector would touch, and so copy, every page that the children share
                pid = os.fork()
                if pid == 0:
                    gc.enable()
                    signal.set_wakeup_fd(-1)
                    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                    signal.signal(signal.SIGINT, signal.default_int_handler)
                    theirs = [descriptor for _, others in waiting for descriptor in others]
                    for descriptor in (connection.detach(), ends, wake, selector.fileno(), *reports.values(), *theirs):
                        if descriptor > 2:
                            os.close(descriptor)
                    child(request, pipes, isolate)
                reports[pid] = pipes.pop()
                for pipe in pipes:
                    os.close(pipe)
            if modules:
                with contextlib.suppress(ImportError):  # who needs it will say that it is missing
                    importlib.import_module(modules.pop(0))


def reap(reports):
    """Report the exit status of each child that has ended."""
    while reports:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        with contextlib.suppress(OSError), os.fdopen(reports.pop(pid), "w") as report:  # somebody may still listen
            report.write(f"{os.waitstatus_to_exitcode(status)}\n")


def child(request, pipes, isolate):
    """Become what `request` says: a script or a module that runs as `__main__` in its folder, isolated if so asked."""
    code = 1
    try:
        *streams, report = pipes
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        os.environ.update(request["environment"])
        name = request["argv"][0]
        script = compile(Path(name).read_bytes(), name, "exec") if name.endswith(".py") else None  # while we may read
        os.chdir(request["folder"])
        held, mine = [], os.dup(report)
        if request["isolate"]:
            held = isolate(**request["isolate"], report=report)
        else:
            os.write(report, b"%d\n" % os.getpid())
            os.close(report)
        os.write(mine, json.dumps(held).encode() + b"\n")
        os.close(mine)
        sys.argv = request["argv"]
        if script:
            exec(script, {"__name__": "__main__", "__file__": name})
        else:
            runpy.run_module(name, run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(Exception):
                stream.flush()
        os._exit(code)


if __name__ == "__main__":
    main(sys.argv[1:])

"""Execute one notebook, or a whole class's, and say what became of each question."""

import argparse
import os
import signal
import sys
from contextlib import nullcontext
from pathlib import Path

# Where JupyterLab is installed, jsonschema builds Lark's parsers when nbformat is imported, for addresses that no
# notebook has: a second and more. It does without where the module is missing.
sys.modules.setdefault("rfc3987_syntax", None)

from hw4.grading.errors import ExitCode, Unusable  # noqa: E402


def main(arguments=None):
    options = parse(arguments)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # which jobs in a shell's background start without
    try:
        return run(options)
    except Unusable as problem:
        print(f"main.py: {' '.join(str(problem).split())}", file=sys.stderr)
        return ExitCode.UNUSABLE
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED


def parse(arguments):
    parser = argparse.ArgumentParser(prog="main.py", description=__doc__)
    add = parser.add_argument
    add("path", nargs="*", type=Path, help="a notebook, a folder with one, or a folder of such; default: our own")
    add("--reference", type=Path, metavar="NOTEBOOK", help="says what was given and asked; default: our own")
    add("--output", type=Path, default="graded", metavar="DIR", help="default: %(default)s/")
    add("--save", action="store_true", help="if all ran clean, also write the one notebook back in place")
    add("--strict", action="store_true", help="a missing answer counts as a failure")
    add("--timeout", type=positive, default=120, metavar="SECONDS", help="of a cell (%(default)s)")
    add("--total-timeout", type=positive, default=900, metavar="SECONDS", help="of a submission (%(default)s)")
    add("--memory", type=positive, default=4, metavar="GIB", help="of a submission (%(default)s)")
    add("--output-size", type=positive, default=4, metavar="MIB", help="of what a cell puts out (%(default)s)")
    add("--jobs", type=count, default=os.cpu_count(), metavar="N", help="submissions at a time (%(default)s)")
    add("--fresh", action="store_true", help="grade also what has not changed since it was graded")
    add("--dask", metavar="ADDRESS", help="grade on this Dask cluster")
    return parser.parse_args(arguments)


def positive(text):
    value = float(text)
    if not 0 < value < float("inf"):
        raise ValueError
    return value


def count(text):
    return max(1, int(text))


def run(options):
    """Grade what the options name; return the exit code."""
    from hw4.grading.submission import collect, find

    options.path = options.path or [own()]
    options.reference = options.reference or own()
    found = find(options.path, options.reference)
    reference = collect(options.reference, options.reference)
    if len(found) == 1 and options.path == [found[0][1]] and not options.dask:
        return one(*found[0], reference, options)
    from hw4.grading.sandbox.launcher import Launcher, modules

    names = modules(reference.texts(), ["torch"])  # what else a submission mentions comes with it
    with nullcontext() if options.dask else Launcher(names, threads(options)) as warm:  # it imports while we do
        from hw4.grading.classroom import grade_all
        from hw4.grading.grade import Task

        def task(submission):
            return Task(submission, reference, limits(options), options.strict)

        return grade_all(found, reference, task, options, warm)


def own():
    """Return the absolute path of the notebook beside this file."""
    beside = list(Path(__file__).resolve().parent.glob("*.ipynb"))
    if len(beside) != 1:
        raise Unusable(f"{len(beside)} notebooks stand beside main.py: name one, and a --reference")
    return beside[0]


def one(name, path, reference, options):
    """Grade one submission; print what became of it; return the exit code."""
    from hw4.grading.sandbox.launcher import Launcher, modules
    from hw4.grading.submission import collect

    try:
        submission = collect(path, options.reference, name)
        names = modules([*submission.texts(), *reference.texts()], ["torch"])  # the rest can wait for its cell
    except Unusable as problem:
        submission, names, trouble = None, [], problem
    with Launcher(names, threads(options)) as warm:  # it imports while we do
        from hw4.grading import output as files
        from hw4.grading.grade import Task, nothing, outcome
        from hw4.grading.notebook.format import stamp_points
        from hw4.grading.result import plain

        files.prepare(options.output, [path])
        if submission:
            files.warm_up(submission)
            done = outcome(Task(submission, reference, limits(options), options.strict), warm, show)
        else:
            done = nothing(name, ExitCode.UNUSABLE, trouble)
    written = files.write(done, options.output)
    if options.save and done.code == 0:
        text = stamp_points(done.files[files.safe(submission.notebook)])
        written.append(files.replace(submission_path(path, submission), text))
    if done.code in (ExitCode.UNUSABLE, ExitCode.FAULT):
        text = "\n".join(done.lines).splitlines()
        print(*(f"main.py: {plain(line)}" for line in text), sep="\n", file=sys.stderr)
    else:
        print(*done.lines, *written, sep="\n")
    return done.code


def submission_path(path, submission):
    return path if path.is_file() else next(path.rglob(submission.notebook))


def threads(options):
    return max(1, os.cpu_count() // options.jobs)


def limits(options):
    from hw4.grading.execution.run import Limits

    gib, mib = int(options.memory * 2**30), int(options.output_size * 2**20)
    return Limits(options.timeout, options.total_timeout, gib, mib)


def show(result, execution):
    print(result.progress(execution), file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())

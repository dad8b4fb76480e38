"""Execute one notebook, or a whole class's, and say what became of each question."""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import fields
from functools import partial
from importlib import import_module, metadata
from pathlib import Path
from tempfile import TemporaryDirectory

if sys.version_info < (3, 11):  # noqa: UP036 - who has an older one is told so
    sys.exit(f"main.py: Python 3.11 or newer is needed, and this is {sys.version.split()[0]}")
import tomllib

# Where JupyterLab is installed, jsonschema builds Lark's parsers when nbformat is imported, for addresses that no
# notebook has: a second and more. It does without where the module is missing.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]

from hw4.grading.errors import ExitCode, Unusable  # noqa: E402

# What a first argument of this name does instead of grading: the module whose function `run` gets the other arguments.
COMMANDS = {name: f"hw4.grading.course.{name}" for name in ("handout", "gradescope", "nbgrader")}
COMMANDS["feedback"] = "hw4.grading.marks.feedback"

OPTIONS = Path(__file__).resolve().parent / "hw4" / "grading" / "course" / "options.toml"


def main(arguments: Sequence[str] | None = None) -> int:
    """Grade what the arguments name, or do what the first of them commands; return the exit code."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    command = COMMANDS.get(given[0]) if given else None
    work = partial(run, parser().parse_args(given)) if not command else partial(import_module(command).run, given[1:])
    signal.signal(signal.SIGINT, signal.default_int_handler)  # which jobs in a shell's background start without
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that nothing is left behind
    try:
        return work()
    except Unusable as problem:
        print(f"main.py: {' '.join(str(problem).split())}", file=sys.stderr)
        return ExitCode.UNUSABLE
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED


def parser() -> argparse.ArgumentParser:
    """Return what reads the options; it exits with code 2 where they are wrong."""
    options = tomllib.loads(OPTIONS.read_text(encoding="utf-8"))
    form, examples = argparse.RawDescriptionHelpFormatter, options.pop("examples")
    made = argparse.ArgumentParser(prog="main.py", description=__doc__, epilog=examples, formatter_class=form)
    types = {"path": Path, "positive": positive, "count": count}
    for name, option in options.items():
        made.add_argument(name, **option | ({"type": types[option["type"]]} if "type" in option else {}))
    made.set_defaults(jobs=os.cpu_count())
    return made


def positive(text: str) -> float:
    """Return the number in `text`; raise `ValueError` where it is not above 0 and finite."""
    value = float(text)
    if not 0 < value < float("inf"):
        raise ValueError
    return value


def count(text: str) -> int:
    """Return the number in `text`, at least 1."""
    return max(1, int(text))


def run(options: argparse.Namespace) -> ExitCode:
    """Grade what the options name; return the exit code."""
    if missing := missing_packages():
        install = "python -m pip install -r requirements.txt"
        raise Unusable(f"not installed: {', '.join(missing)}. Install what is missing with: {install}")
    with TemporaryDirectory(prefix="hw4-unpacked-") as unpacked:
        return run_with(options, Path(unpacked))


def run_with(options: argparse.Namespace, unpacked: Path) -> ExitCode:
    """Grade what the options name, with a folder into which archives can be unpacked; return the exit code."""
    from hw4.grading import bounded
    from hw4.grading.course.given import BLANK, NAME, ROOT, assignment
    from hw4.grading.intake.lists import lists
    from hw4.grading.intake.students import find
    from hw4.grading.sandbox.launcher import Launcher, modules_mentioned
    from hw4.grading.submission import ANSWERS, Submission, collect

    def read_one(path: Path) -> Submission:
        return collect(find([path], given, unpacked, single=True).submissions[0])

    paths = options.path or [own_notebook()]
    given = (options.reference or BLANK).resolve()
    intake = find(paths, given, unpacked, options.one, options.names)
    reference = read_one(given) if options.reference else assignment()
    options.answers, options.own = options.answers or options.reference, ROOT / NAME
    if options.answers and not options.answers.is_file():
        raise Unusable(f"{options.answers}: no such file")
    found, single = intake.submissions, intake.single and not options.dask
    if (options.only or options.watch) and not single:
        raise Unusable("--only and --watch want one notebook, or a folder with one")
    judged = not options.reference or ANSWERS in reference.files
    line = f"starting: {found[0].name}" if single else lists(intake, judged)
    print(line, file=sys.stderr, flush=True)  # before anything is imported that takes a while
    # The forkserver imports PyTorch while this process imports the rest; alone, a question says what else it needs.
    alone_wanted, texts = bool(options.only or options.watch), reference.texts()
    if alone_wanted:
        texts = ["torch"] * any("torch" in text for text in texts)
    hidden = [ROOT / "hw4", given, given.parent / "hw4", options.own, *paths, options.output, unpacked]
    modules = modules_mentioned(texts)
    launcher = nullcontext() if options.dask else Launcher(modules, options.threads, hidden)
    if alone_wanted:
        bounded.start()
    with launcher as started:
        from hw4.grading.classroom import Classroom, Options
        from hw4.grading.course import alone, junit
        from hw4.grading.execution.run import Limits

        memory, disk, size = int(options.memory * 2**30), int(options.disk * 2**30), int(options.output_size * 2**20)
        limits = Limits(options.timeout, options.total_timeout, memory, size, disk)
        shared = {field.name: getattr(options, field.name) for field in fields(Options) if field.name in options}
        told = "" if single else lists(intake, judged, most=len(found))
        chosen = Options(**shared, limits=limits, single=single, lists=told)
        if started and alone_wanted:
            desk = alone.Desk(paths[0], partial(read_one, paths[0]), reference, chosen, started)
            return desk.watch(options.only) if options.watch else desk.attempt(desk.read(), options.only)
        classroom = Classroom(found, given, reference, chosen)
        code = classroom.grade(started)
        if options.junit:
            junit.write(options.junit, classroom.folders)
        return code


def missing_packages() -> list[str]:
    """Return the packages of requirements/running.txt that are not installed."""
    lists = Path(__file__).resolve().parent / "requirements"
    names = [line.split()[0] for line in (lists / "running.txt").read_text().splitlines() if line[:1].isalpha()]
    installed = {each.name.lower() for name in names for each in metadata.distributions(name=name)}
    return [name for name in names if name.lower() not in installed]


def own_notebook() -> Path:
    """Return the absolute path of the notebook beside this file."""
    beside = list(Path(__file__).resolve().parent.glob("*.ipynb"))
    if len(beside) != 1:
        raise Unusable(f"{len(beside)} notebooks stand beside main.py: name one")
    return beside[0]


if __name__ == "__main__":
    sys.exit(main())

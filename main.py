"""Execute the homework's notebook headlessly and say what became of each question."""

import argparse
import sys
from pathlib import Path

# Where JupyterLab is installed, jsonschema builds Lark's parsers when nbformat is imported, for addresses that no
# notebook has: a second and more. It does without where the module is missing.
sys.modules.setdefault("rfc3987_syntax", None)

from hw4.grading import INTERRUPTED, UNUSABLE, Unusable  # noqa: E402


def main(arguments=None):
    options = parse(arguments)
    try:
        return grade(find(options.notebook), options)
    except Unusable as problem:
        print(f"main.py: {problem}", file=sys.stderr)
        return UNUSABLE
    except KeyboardInterrupt:
        return INTERRUPTED


def parse(arguments):
    parser = argparse.ArgumentParser(prog="main.py", description=__doc__)
    parser.add_argument("notebook", nargs="?", type=Path, help="default: the one beside main.py")
    parser.add_argument("--output", type=Path, default="graded", metavar="DIR", help="default: %(default)s/")
    parser.add_argument("--save", action="store_true", help="if all ran clean, also write the notebook back in place")
    parser.add_argument("--strict", action="store_true", help="a missing answer counts as a failure")
    parser.add_argument("--timeout", type=seconds, default=120, metavar="SECONDS", help="of a cell (%(default)s)")
    parser.add_argument("--total-timeout", type=seconds, default=900, metavar="SECONDS", help="in all (%(default)s)")
    return parser.parse_args(arguments)


def seconds(text):
    value = float(text)
    if not 0 < value < float("inf"):
        raise ValueError
    return value


def find(path):
    """Return the absolute path of the notebook to run."""
    if path is None:
        beside = list(Path(__file__).resolve().parent.glob("*.ipynb"))
        if len(beside) != 1:
            raise Unusable(f"{len(beside)} notebooks stand beside main.py: name one")
        path = beside[0]
    if not path.is_file():
        raise Unusable(f"{path}: {'a folder, not a notebook' if path.is_dir() else 'no such file'}")
    return path.resolve()


def grade(path, options):
    """Run the notebook at `path`; write and print what became of it; return the exit code."""
    from hw4.grading.kernel import Kernel

    with Kernel(path.parent) as kernel:  # it boots while the rest is imported
        from hw4.grading import document, files
        from hw4.grading.result import Result
        from hw4.grading.run import Limits, clear, run

        folder = files.prepare(options.output, path)
        result = Result(clear(document.read(path)))
        files.warm_up(result.notebook)
        try:
            for execution in run(result.notebook, kernel, Limits(options.timeout, options.total_timeout)):
                result.add(execution)
                print(result.progress(execution), file=sys.stderr, flush=True)
        except KeyboardInterrupt:
            result.interrupted = True
    written = files.write(result, folder, path.name)
    if options.save and not result.failures and not result.interrupted:
        document.set_points(result.notebook)
        written.append(files.save(result.notebook, path))
    print("\n".join([*result.table(), *result.failures, result.summary(), *map(str, written)]))
    return result.exit_code(options.strict)


if __name__ == "__main__":
    sys.exit(main())

"""The executed notebook and its page, written so that a reader never meets half a file."""

import contextlib
import functools
import os
from threading import Lock, Thread

import nbformat

from . import Unusable

DRAWING = Lock()  # the exporter is made once and serves one thread at a time


def prepare(folder, notebook):
    """Make the output folder; raise `Unusable` when it cannot be made, or when the executed notebook would replace
    the one at the path `notebook`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise Unusable(f"{folder}: {problem.strerror}") from None
    target = folder / notebook.name
    if target.exists() and target.samefile(notebook):
        raise Unusable(f"{folder}: the executed notebook would replace the one that is run; name another --output")
    return folder


def warm_up(notebook):
    """Import the exporter and draw what is drawn before anything ran, while the kernel works on the other core."""

    def draw(copy):
        with contextlib.suppress(Exception):  # what is wrong with the page is said when it is drawn in earnest
            page(copy, "")

    Thread(target=draw, args=[nbformat.from_dict(notebook)], daemon=True).start()


def write(result, folder, name):
    """Write the executed notebook and its page into `folder`; return their paths."""
    executed, report = folder / name, folder / "report.html"
    save(result.notebook, executed)
    replace(report, page(result.notebook, name))
    return [executed, report]


def save(notebook, path):
    replace(path, nbformat.writes(notebook) + "\n")
    return path


def replace(path, text):
    """Put `text` into the file at `path`, all of it or nothing."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_text(text, encoding="utf-8")
        os.replace(draft, path)
    except OSError as problem:
        raise Unusable(f"{path}: {problem.strerror}") from None
    finally:
        with contextlib.suppress(OSError):
            draft.unlink()


@functools.cache
def exporter():
    from nbconvert.exporters.html import HTMLExporter

    return HTMLExporter(exclude_anchor_links=True)


def page(notebook, title):
    """Return nbconvert's page of `notebook`."""
    with DRAWING:
        return exporter().from_notebook_node(notebook, resources={"metadata": {"name": title}})[0]

"""Folders as graders get them: written from a few strings, packed, and read."""

import io
import os
import tarfile
import tempfile
import zipfile
from pathlib import Path

import nbformat

from hw4.grading.intake.students import find
from tests.builders import made

ASKED = {"q-1-question": "What is a stride?", "q-1-answer": "**Answer:**"}
BOOK = nbformat.writes(made(ASKED | {"q-1-answer": "**Answer:** A step."}))
OTHER = nbformat.writes(made({"note": "Milk, bread."}))


def laid(folder, files):
    """Write {path: text or bytes} below `folder`, a second after each other; None makes an empty folder."""
    for second, (name, content) in enumerate(files.items()):
        path = Path(folder, name)
        (path if content is None else path.parent).mkdir(parents=True, exist_ok=True)
        if content is not None:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
            os.utime(path, (1_700_000_000 + 10 * second,) * 2)
    return Path(folder)


def zipped(files):
    """Return a ZIP file of {path: text or bytes}, each written ten seconds after the other."""
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as archive:
        for second, (name, content) in enumerate(files.items()):
            archive.writestr(
                zipfile.ZipInfo(name, (2026, 11, 25, 12, second // 6, 10 * second % 60)), content, zipfile.ZIP_DEFLATED
            )
    return body.getvalue()


def tarred(files, mode="w:gz"):
    """Return a TAR file of {path: text or bytes}."""
    body = io.BytesIO()
    with tarfile.open(fileobj=body, mode=mode) as archive:
        for name, content in files.items():
            content = content if isinstance(content, bytes) else content.encode()
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return body.getvalue()


def read(*paths, reference=None, **options):
    """Return what is found at the paths, against a reference that asks `ASKED`."""
    scratch = Path(tempfile.mkdtemp(dir=paths[0].parent if paths[0].name else None, prefix="unpacked"))
    if reference is None:
        reference = scratch / "homework.ipynb"
        reference.write_text(nbformat.writes(made(ASKED)))
    return find(list(paths), reference, scratch, **options)


def told(intake):
    """Return what became of each: {name: original}, {name: problem}, {entry: reason}."""
    graded = {found.name: found.original for found in intake.submissions if not found.problem}
    refused = {found.name: found.problem for found in intake.submissions if found.problem}
    return graded, refused, dict(intake.ignored)


def adds_up(intake, entries):
    """Return whether the three lists hold each of the `entries` once."""
    listed = [entry for found in intake.submissions for entry in found.entries]
    return sorted([*listed, *(entry for entry, _ in intake.ignored)]) == sorted(entries)

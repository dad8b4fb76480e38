"""What became of each question as JUnit's XML, which CI systems show; junitparser was weighed, and adds no check."""

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from ..output import RESULTS, replace
from ..submission import Found


def write(file: Path, folders: Mapping[Found, Path]) -> None:
    """Write into `file` a suite for each submission, from the results in its folder, with a case per question."""
    suites = ElementTree.Element("testsuites")
    for found, folder in folders.items():
        left: dict[str, Any] = {"tests": [], "output": "nothing of it could be written"}
        with suppress(OSError, ValueError):
            left = json.loads((folder / RESULTS).read_text(encoding="utf-8"))
        tests = left["tests"] or [{"name": "notebook", "status": "failed", "output": left["output"]}]
        failures = [test for test in tests if test.get("status") == "failed"]
        counts = {"tests": str(len(tests)), "failures": str(len(failures))}
        suite = ElementTree.SubElement(suites, "testsuite", {"name": _legal(found.name), **counts})
        for test in tests:
            case = ElementTree.SubElement(suite, "testcase", name=_legal(test["name"]), classname=_legal(found.name))
            if test.get("status") == "failed":
                ElementTree.SubElement(case, "failure", message=_legal(test.get("output", "")))
    replace(file, ElementTree.tostring(suites, encoding="unicode", xml_declaration=True) + "\n")


def _legal(text: str) -> str:
    """Return `text` without the characters that XML forbids."""
    return "".join(letter if letter.isprintable() or letter in "\n\t" else "?" for letter in text)

"""Whose submission an entry is, by the names that a platform gives to what it hands out."""

import functools
import os
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..errors import Unusable
from .archives import ENDINGS
from .tree import NOTEBOOK, TABLES, Item

SLOT = re.compile(r"\\\{(\w+)\\\}")
COPY = re.compile(TABLES["copy"], re.IGNORECASE)
ASSIGNMENT = re.compile(r"\d|hw|homework|assignment|lab|project|part|exercise", re.IGNORECASE)


@dataclass(frozen=True)
class Student:
    """A student as a platform names it; of several submissions, the one with the highest `number` is the newest."""

    name: str
    id: str = ""
    number: tuple[int, ...] = ()
    file: str = ""  # the file's own name


def numbers(text: str) -> tuple[int, ...]:
    """Return the numbers in a name, for comparison."""
    return tuple(map(int, re.findall(r"\d+", text)))


def stem(name: str) -> str:
    """Return a name without the ending of an archive."""
    return name[: -max(len(ending) for ending in ("", *ENDINGS) if name.lower().endswith(ending)) or None]


def original(name: str) -> str:
    """Return of which name this is a copy's, without a notebook's or an archive's ending; else its own."""
    bare = NOTEBOOK.sub("", stem(name))
    return COPY.sub("", bare).strip() or bare


def students(folder: Item, wanted: str | None = None) -> dict[Item, Student]:
    """Return the students of a class's entries, as far as a platform named them, or the template `wanted` does."""
    entries = [item for item in folder.items or () if not item.ignored]
    found: dict[Item, Student] = {}
    for platform in [{"patterns": [wanted]}] if wanted else TABLES["platform"]:
        named: dict[Item, Student] = {}
        for template in platform["patterns"]:
            for item in entries:
                name = f"{stem(folder.name)}/{item.name}" if "/" in template else item.name
                if item not in named and (match := _pattern(template).fullmatch(name)):
                    given = defaultdict(str, match.groupdict())
                    key = given["id"] + given["code"]
                    number = numbers(given["number"] + given["time"])
                    named[item] = Student(given["name"] or key, key, number, given["file"])
        found |= named if wanted or _is_plausible(named) else {}
    return found or _by_gradescope(folder, entries) or _by_prefix(entries)


@functools.cache
def _pattern(template: str) -> re.Pattern[str]:
    """Return the regular expression of a template such as "{name}_{id}_{file}"; raise `Unusable` where it is none."""
    known = TABLES["field"]
    try:
        text = SLOT.sub(lambda found: f"(?P<{found[1]}>{known[found[1]]})", re.escape(template))
        return re.compile(text.replace(r"\*", ".*?"), re.IGNORECASE | re.DOTALL)
    except (KeyError, re.error):
        raise Unusable(f"--names {template}: no more than one each of {', '.join(known)} can stand in braces") from None


def _is_plausible(named: Mapping[Item, Student]) -> bool:
    """Return whether names fit by more than chance: they tell students apart, or one student's file has one name."""
    books = {re.sub(r"-\d+$", "", original(named[item].file)) for item in named if item.is_notebook}
    return len({(student.name, student.id) for student in named.values()}) > 1 or len(books) < 2


def _by_gradescope(folder: Item, entries: Sequence[Item]) -> dict[Item, Student]:
    """Return the students of a Gradescope export, by the list that comes with it."""
    import yaml  # which nothing else needs

    try:
        (listed,) = [item for item in folder.items or () if item.name == "submission_metadata.yml"]
        text = listed.path.read_bytes().replace(b" :", b" ")  # Ruby's symbols
        known = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        handed_in = {item: known[item.name]["submitters"] for item in entries if item.name in known}
        return {item: Student(_joined(people, "name"), _joined(people, "sid")) for item, people in handed_in.items()}
    except (OSError, yaml.YAMLError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return {}


def _joined(people: Sequence[Mapping[str, object]], key: str) -> str:
    return ", ".join(str(person.get(key)) for person in people)


def _by_prefix(entries: Sequence[Item]) -> dict[Item, Student]:
    """Return the students of GitHub Classroom's repositories: the assignment's name stands before each student's."""
    folders = [item for item in entries if item.items is not None]
    prefix, dash, _ = os.path.commonprefix([item.name for item in folders]).rpartition("-")  # noqa: RUF071 - of letters
    if len(folders) < 2 or not (dash and ASSIGNMENT.search(prefix)):
        return {}
    return {item: Student(stem(item.name).removeprefix(prefix + dash)) for item in folders}

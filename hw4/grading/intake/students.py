"""Who handed in what: the entries of a folder, divided into submissions, what cannot be graded, and what is ignored."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..errors import Unusable
from ..names import shown
from ..submission import ANSWERS, Found
from .platforms import Student, original, stem, students
from .student import VERSION, Asked, beside, submission
from .tree import INSTEAD, LINK, OUTPUT, Item, scan

MOST = 12  # submissions to be graded, and of those that share a remark, that are named on the terminal


@dataclass
class Intake:
    """What was found: three lists that add up to every entry."""

    submissions: list[Found] = field(default_factory=list)  # to be graded, and not gradable
    ignored: list[tuple[str, str]] = field(default_factory=list)  # (entry, reason)
    remarks: list[str] = field(default_factory=list)  # on how a folder was read
    single: bool = False  # one submission, no class

    def lists(self, judged: bool, most: int = MOST) -> str:
        """Return what is said before anything runs: three lists that add up to every entry, with a line per cause.

        At most so many that are simply graded are named; where a function is `judged`, also those without it.
        """
        graded = [found for found in self.submissions if not found.problem]
        refused = [found for found in self.submissions if found.problem]
        counts = [sum(len(found.entries) for found in each) for each in (graded, refused)]
        missing = [found.name for found in graded if judged and ANSWERS not in found.files]
        notes = [(note, found.name) for found in graded for note in found.notes]
        notes += [(f"no {ANSWERS}, {len(missing)} of {len(graded)}", name) for name in missing]
        lines = [
            *self.remarks,
            f"{sum(counts) + len(self.ignored)} entries:",
            f"{counts[0]} to be graded" + f", as {len(graded)} submissions" * (counts[0] != len(graded)),
            *(f"  {each.name}: {each.original}, {each.notebook}" for each in graded if len(graded) <= most),
            *_by_cause(notes, most),
            f"{counts[1]} not gradable",
            *_by_cause(((found.problem, found.name) for found in refused), len(refused)),
            f"{len(self.ignored)} ignored",
            *_by_cause(((reason, entry) for entry, reason in self.ignored), len(self.ignored)),
        ]
        return "\n".join(lines) + "\n"


def _by_cause(pairs: Iterable[tuple[str, str]], most: int) -> Iterator[str]:
    causes: dict[str, list[str]] = {}
    for cause, name in pairs:
        causes.setdefault(cause, []).append(name)
    for cause, names in causes.items():
        more = f" and {len(names) - most} more" if len(names) > most else ""
        yield f"  {cause}: {', '.join(names[:most])}{more}"


def find(
    paths: Sequence[Path], reference: Path, scratch: Path, single: bool = False, names: str | None = None
) -> Intake:
    """Return what was handed in at or below `paths`; archives are unpacked into the folder `scratch`.

    A folder is a class unless it clearly is one submission, or `single` says so. `names` is a template for the names of
    its entries. Raises `Unusable` for what an earlier run wrote.
    """
    asked, found, roots = Asked(reference), Intake(), list[Item]()
    for path in paths:
        at = path.as_posix() if len(paths) > 1 else "" if path.is_dir() else path.name
        roots.append(scan(path.resolve() if path.is_dir() else path, scratch, at))
    named = students(Item("", "", Path(), items=roots), names)
    for path, root in zip(paths, roots, strict=True):
        if root.ignored and len(paths) > 1:
            found.ignored.append((shown(root.at), root.ignored))
        elif root.ignored == OUTPUT:
            raise Unusable(f"{path}: {OUTPUT}: name what was handed in")
        elif single or root.items is None or _is_clearly_one(root, asked):
            found.single = len(paths) == 1
            found.submissions.append(submission([root, *beside(root, scratch)], named, asked)[0])
        else:
            before, known = len(found.submissions), students(root, names)
            _read_class(root, asked, names, found)
            count = len(found.submissions) - before
            if count == 1 or any(item.is_notebook and item not in known for item in root.inner()):
                said = f"{path}: read as a class of {count}; --single reads it as one submission"
                found.remarks.append(shown(said))
    found.submissions = _apart(found.submissions)
    return found


def _apart(found: Sequence[Found]) -> list[Found]:
    """Give each submission a name unlike every other: with the platform's number where there is one, else its path."""
    apart = list(found)
    for key, instead in (("person", "original"), ("name", "person"), ("name", "original")):
        counts = Counter(getattr(each, key) for each in apart)
        for place, each in enumerate(apart):
            if counts[getattr(each, key)] > 1:
                apart[place] = replace(each, **{key: getattr(each, instead)})
    return sorted(apart, key=lambda each: each.original)


def _is_clearly_one(root: Item, asked: Asked) -> bool:
    """Return whether a folder can only be one submission: one notebook, and nobody else's work beside it."""
    people = [item for item in root.inner() if _may_be_somebody(item) and not item.is_part()]
    holders = [item for item in people if item.notebooks()]
    if len(holders) == 1 and holders[0].is_notebook:
        return not any(item.problem not in ("", LINK) for item in people)
    if any(_is_section(item, asked) for item in root.inner()):
        return False
    if len(holders) == 1 and len(people) == 1:  # in a folder: beside other parts of a submission?
        return any(item.is_part() for item in root.inner())
    return len(people) < 2 or all(VERSION.fullmatch(item.name) for item in people)


def _may_be_somebody(item: Item) -> bool:
    """Return whether an entry may be somebody's submission, or an attempt to hand in one."""
    if item.items is None and not item.problem:
        return item.is_notebook or (item.name.lower().endswith(INSTEAD) and not item.is_part())
    return bool(item.notebooks()) or not item.is_part()


def _read_class(folder: Item, asked: Asked, names: str | None, found: Intake, prefix: str = "") -> None:
    """Add the entries of a class, or of one of its sections, to what was `found`."""
    named, groups = students(folder, names), dict[tuple[str, str], list[Item]]()
    sections = _sections([item for item in folder.inner() if item.items and item not in named], asked)
    for item in folder.items or ():
        hidden = "hidden" if item.name.startswith(".") and not item.notebooks() else ""
        if reason := item.ignored or hidden or ("the reference" if asked.is_in(item) else ""):
            found.ignored.append((shown(item.at), reason))
        elif item in sections:
            _read_class(item, asked, names, found, f"{prefix}{item.name}/")
        else:
            groups.setdefault(_key(item, named, asked), []).append(item)
    for group in groups.values():
        if any(item in named or _may_be_somebody(item) for item in group):
            new, replaced = submission(group, named, asked, prefix)
            found.submissions.append(new)
            found.ignored += [(shown(item.at), reason) for item, reason in replaced.items()]
        else:
            parts = any(item.is_part() for item in group)
            reason = "nobody's: whose part it is cannot be told" if parts else "no notebook"
            found.ignored += [(shown(item.at), reason) for item in group]


def _key(item: Item, named: Mapping[Item, Student], asked: Asked) -> tuple[str, str]:
    """Return what the entries of one student share."""
    if student := named.get(item):
        return student.name, f"number {student.id}"
    if item.items is not None:
        return "", f"folder {stem(item.name)}"
    bare = original(item.name) if item.is_notebook else Path(item.name).stem
    return "", item.name if item.is_notebook and asked.is_nobodys(bare) else f"file {bare}"


def _sections(folders: Sequence[Item], asked: Asked) -> list[Item]:
    """Return which of a class's folders hold several students' submissions."""
    sections = [folder for folder in folders if _is_section(folder, asked)]
    of_folders = [each for each in folders if all(item.path.is_dir() and not item.is_part() for item in each.inner())]
    return sections + (of_folders if set(sections) & set(of_folders) else [])  # also one in which few handed in


def _is_section(folder: Item, asked: Asked) -> bool:
    inner = folder.inner()
    direct = [item for item in inner if item.is_notebook]
    if len(inner) == 1:
        return _is_section(inner[0], asked)
    if len(direct) > 1:  # or one student's several notebooks
        bare = {original(book.name) for book in asked.asking(direct)}
        return len(bare) > 1 and not all(asked.is_nobodys(name) for name in bare)
    holders = [item for item in inner if item.items is not None and not item.is_part() and item.notebooks()]
    asking = asked.asking([book for item in holders for book in item.notebooks()])
    holders = [item for item in holders if not set(asking).isdisjoint(item.notebooks())]
    return len(holders) > 1 and not all(VERSION.fullmatch(item.name) for item in holders)

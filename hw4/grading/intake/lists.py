"""What is said of a class before anything runs: three lists that add up to every entry of its folder."""

from collections.abc import Iterable, Iterator

from ..submission import ANSWERS, Found
from .students import Intake

MOST = 12  # submissions to be graded, and of those that share a remark, that are named on the terminal


def lists(intake: Intake, judged: bool, most: int = MOST) -> str:
    """Return the three lists: a line per cause; of what is simply graded, at most so many are named.

    Where a function is `judged`, it is also said who handed in none.
    """
    graded = [found for found in intake.submissions if not found.problem]
    refused = [found for found in intake.submissions if found.problem]
    entries = len(intake.ignored) + sum(len(found.entries) for found in intake.submissions)
    missing = [found.name for found in graded if judged and ANSWERS not in found.files]
    notes = [(note, found.name) for found in graded for note in found.notes]
    notes += [(f"no {ANSWERS}, {len(missing)} of {len(graded)}", name) for name in missing]
    lines = [
        *intake.remarks,
        f"{entries} entries:",
        _counted("to be graded", graded),
        *(f"  {each.name}: {each.original}, {each.notebook}" for each in graded if len(graded) <= most),
        *_by_cause(notes, most),
        _counted("not gradable", refused),
        *_by_cause(((found.problem, found.name) for found in refused), len(refused)),
        f"{len(intake.ignored)} ignored",
        *_by_cause(((reason, entry) for entry, reason in intake.ignored), len(intake.ignored)),
    ]
    return "\n".join(lines) + "\n"


def _counted(what: str, found: list[Found]) -> str:
    entries = sum(len(each.entries) for each in found)
    return f"{entries} {what}" + f", as {len(found)} submissions" * (entries != len(found))


def _by_cause(pairs: Iterable[tuple[str, str]], most: int) -> Iterator[str]:
    causes: dict[str, list[str]] = {}
    for cause, name in pairs:
        causes.setdefault(cause, []).append(name)
    for cause, names in causes.items():
        more = f" and {len(names) - most} more" if len(names) > most else ""
        yield f"  {cause}: {', '.join(names[:most])}{more}"

"""What is said of a class before anything runs: three lists that add up to every entry of its folder."""

from collections.abc import Iterable, Iterator

from ..submission import ANSWERS
from .students import Intake

MOST = 12  # submissions to be graded, and of those that share a remark, that are named on the terminal


def lists(intake: Intake, judged: bool, most: int = MOST) -> str:
    """Return the three lists: a line per cause; of what is simply graded, at most so many are named.

    Where a function is `judged`, it is also said who handed in none.
    """
    graded = [found for found in intake.submissions if not found.problem]
    refused = [found for found in intake.submissions if found.problem]
    counts = [sum(len(found.entries) for found in each) for each in (graded, refused)]
    missing = [found.name for found in graded if judged and ANSWERS not in found.files]
    notes = [(note, found.name) for found in graded for note in found.notes]
    notes += [(f"no {ANSWERS}, {len(missing)} of {len(graded)}", name) for name in missing]
    lines = [
        *intake.remarks,
        f"{sum(counts) + len(intake.ignored)} entries:",
        f"{counts[0]} to be graded" + f", as {len(graded)} submissions" * (counts[0] != len(graded)),
        *(f"  {each.name}: {each.original}, {each.notebook}" for each in graded if len(graded) <= most),
        *_by_cause(notes, most),
        f"{counts[1]} not gradable",
        *_by_cause(((found.problem, found.name) for found in refused), len(refused)),
        f"{len(intake.ignored)} ignored",
        *_by_cause(((reason, entry) for entry, reason in intake.ignored), len(intake.ignored)),
    ]
    return "\n".join(lines) + "\n"


def _by_cause(pairs: Iterable[tuple[str, str]], most: int) -> Iterator[str]:
    causes: dict[str, list[str]] = {}
    for cause, name in pairs:
        causes.setdefault(cause, []).append(name)
    for cause, names in causes.items():
        more = f" and {len(names) - most} more" if len(names) > most else ""
        yield f"  {cause}: {', '.join(names[:most])}{more}"

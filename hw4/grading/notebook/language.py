"""The language in which a notebook is written."""

import json
import re

from ..text import last_line

PYTHON = re.compile(r"i?python[\s\d.]*")
# Kernels that are not Python's, for notebooks that name no language (the list of Jupyter's wiki, "Jupyter kernels").
OTHER_KERNELS = re.compile(
    r"([ix]?r[-\d.]*|ark|go|java|node|sql|sos|c|lua|perl|php)$|irkernel|sparkr?kernel|calysto_(?!python)|i?elixir|"
    r"julia|bash|javascript|deno|tslab|xcpp|xeus-(?!python)|cling|"
    r"octave|matlab|scilab|sas|stata|scala|almond|spylon|apache_toree|ijava|kotlin|groovy|clojure|i?ruby|gonb|gophernotes|"
    r"rust|evcxr|i?haskell|ocaml|fsharp|csharp|powershell|\.net|xsql|prolog|maxima|wolfram|mathematica|sage"
)


def language_of(body: bytes) -> str:
    """Return the language of the notebook in the file `body`, in lower case, as its metadata have it; else "python"."""
    metadata = json.loads(body.decode("utf-8-sig")).get("metadata")

    def entry(part: str, key: str) -> str:
        found = metadata.get(part) if isinstance(metadata, dict) else None
        value = found.get(key) if isinstance(found, dict) else None
        return value.strip().lower() if isinstance(value, str) else ""

    kernel = entry("kernelspec", "name")
    other = OTHER_KERNELS.match(kernel) or re.search("python", kernel)
    guessed = other[0].strip(".") if other else entry("language_info", "name")
    language = entry("kernelspec", "language") or guessed or "python"
    return "python" if PYTHON.fullmatch(language) else last_line(language)

"""Text that somebody else wrote, made fit for a file, a terminal, or a line of a table."""

import re

LONGEST_LINE = 200  # characters of a line for the console
TERMINAL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")  # control sequences of ECMA-48, section 5.4: colours, mostly


def clean_text(text: str) -> str:
    """Return `text` with "?" for halves of characters (lone surrogates), which UTF-8 cannot encode."""
    return text.encode("utf-8", "replace").decode()


def last_line(text: str) -> str:
    """Return the last line of `text` that is not empty, 200 characters at most, without what a terminal obeys."""
    lines = [line for line in TERMINAL.sub("", text).splitlines() if line.strip()] or [""]
    return "".join(character if character.isprintable() else " " for character in lines[-1]).strip()[:LONGEST_LINE]


def text_on_terminal(text: str) -> str:
    """Return printed text as a terminal shows it: after backspaces, and with lines that were printed over.

    A carriage return at its end is kept: what comes next is printed over the line.
    """
    if "\b" in text:
        left: list[str] = []
        for letter in text:
            if letter != "\b":
                left.append(letter)
            elif left and left[-1] not in "\n\r":
                left.pop()
        text = "".join(left)
    return "\n".join(map(_last_state, text.split("\n"))) + "\r" * text.endswith("\r")


def _last_state(line: str) -> str:
    """Return what is seen of a line whose parts, between carriage returns, overwrite each other from its start."""
    shown = ""
    for part in reversed(line.rstrip("\r").split("\r")):
        if "\x1b" not in part or not shown:
            shown += part[len(shown) :]
    return shown

"""The exit codes of `main.py`, and the exception for input that cannot be graded."""

from enum import IntEnum


class ExitCode(IntEnum):
    """What `main.py` returns; of a single submission, or of a class the highest that applies."""

    CLEAN = 0
    FAILED = 1  # a cell or a check failed
    UNUSABLE = 2  # the input cannot be read, or the command line is wrong
    FAULT = 3  # an error in the grading code itself
    INTERRUPTED = 130  # 128 + SIGINT, as shells report it


class Unusable(Exception):
    """The input cannot be read, or the command line is wrong; the message says so in one line."""

"""What `main.py` runs, in the order in which a submission travels through it; imported by `main.py` alone.

kernel    the process that runs a notebook's cells: birth, execution, interruption, death
document  what a notebook asks, gives and answers, read from the notebook itself
run       the cells one after the other, under limits
result    what became of each question, in words for the console and as an exit code
files     the executed notebook and its page
checks    the battery that tells a right affine backward from a wrong one
"""

CLEAN, FAILED, UNUSABLE, FAULT, INTERRUPTED = 0, 1, 2, 3, 130  # the exit codes


class Unusable(Exception):
    """The input cannot be read, or the usage is wrong; the message says so in one line."""

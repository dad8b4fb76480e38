"""What `main.py` runs, in the order in which a submission travels through it; imported by `main.py` alone.

submission  what was handed in: found, read into memory, laid out in a scratch copy
document    what a notebook asks, gives and answers, read from the notebook itself
compare     what became of the given cells, against the reference
warm        processes for strangers' code; `nursery` is the one that they are forked from, `isolation` their walls
kernel      one notebook's process: birth, execution, interruption, death
run         the cells one after the other, under limits
judge       what holds whatever the notebook did: `pupil` computes, `remote` asks it, `checks` is the battery
result      what became of each question, in words for the console and as an exit code
grade       all of this for one submission; `group` for a class
formulas    the macros of a notebook, and TeX as MathML
cells       a notebook's cells and outputs as HTML in which nothing runs
report      the pages: of a submission, of a class, of one question
files       what is left in the output folder
"""

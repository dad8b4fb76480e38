"""What `main.py` runs. A module imports only from rooms that stand above it in this list:

errors, text   exit codes; what others wrote, made fit for a file or a terminal
names          names of submissions, for a line and for a folder
bounded        calls in a helper process with a limit of time and memory
sandbox/       launcher, forkserver, isolation, limits, scratch folder
notebook/      the file format; questions and answers; comparison with the reference
submission     what one person handed in, read into memory
execution/     the kernel, the run of the cells under limits, the collection of outputs
affine/        the battery, the judge, the function worker
result         what became of each question, each cell, and the function
report/        console, Gradescope's JSON, table of marks, pages, cells as HTML, formulas
output         what is left in the output folder: of a submission, and the pages of a class
grade          a submission from its files to its result
intake/        who handed in what: folders, archives, platforms' names
cluster        the same on a Dask cluster
classroom      submissions, several at a time, here or on a cluster

Glossary
reference        the notebook that says what was given and asked; nothing in it is a student's
given cell       a cell of the reference that every student has: section, question, snippet, check, setup
question, part   what is asked; a question with parts is answered and graded part by part
answer           what a student added to the given text
submission       a notebook, and the files of its folder, that somebody handed in
class            submissions that are graded against one reference
output           what a cell puts out; the output folder is what a run leaves
remark           what is said of a submission without deciding a point
battery          the checks on the gradients that the student's function computes
verdict          what the battery and the reference's own checks found
forkserver       the process that has imported PyTorch, and from which kernels are forked
function worker  the sandboxed process that calls the student's function
cluster worker   a process of a Dask cluster that grades submissions
sandbox layer    one thing that the operating system keeps a submission's code from
"""

"""What a reader sees: console table, pages, marks, and the JSON that Gradescope reads."""

GENERATOR = "hw4.grading"  # in the head of each page, by which one of an earlier run is known for ours

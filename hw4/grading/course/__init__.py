"""What a course does with the homework beside grading it: the hand-out, and packages for other platforms."""

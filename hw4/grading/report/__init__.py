"""What a reader sees: console table, pages, marks, and the JSON that Gradescope reads."""

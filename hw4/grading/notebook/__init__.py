"""A notebook: its format, its questions and answers, and how it compares with the reference."""

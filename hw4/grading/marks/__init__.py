"""The table of marks, which people and spreadsheets edit between two runs, and what is made of it."""

"""The words that ask for an answer or announce one, and those of a verdict, in sixteen languages.

No word list of a library serves: those of stop words lack "answer" and "TODO", and hold "no" and "not", which answer.
"""

import re
import tomllib
from pathlib import Path

LISTS = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
ANSWER_WORDS, QUESTION_WORDS = set(LISTS["answers"].split()), set(LISTS["questions"].split())
SEVERAL_ANSWERS = set(LISTS["several_answers"].split())
ASKING_WORDS = set(LISTS["asking"].split())
OR_WORDS = set(LISTS["alternatives"].split())
SECTION_WORDS = set(LISTS["sections"].split())
BESIDE_WORDS = set(LISTS["beside"].split())
VERDICT_WORDS = set(LISTS["verdicts"].split())
NUMBERING_WORDS = set(LISTS["numbering"].split())
NUMERAL_LINES = LISTS["numerals"].strip().splitlines()
NUMERALS = {word: number for number, line in enumerate(NUMERAL_LINES, 1) for word in line.split()}
PHRASES = set(LISTS["phrases"])
LABEL_WORDS = ANSWER_WORDS | QUESTION_WORDS | set(LISTS["parts"].split())
EMPTY_WORDS = LABEL_WORDS.union({"a"}, *(words.split() for words in LISTS["requests"].values()))
# Chinese, Japanese and Korean write their words without spaces between them.
UNSPACED = re.compile(
    "|".join(sorted((re.escape(word) for word in EMPTY_WORDS if ord(word[0]) > 0x2E80), key=len, reverse=True))
)


def is_empty(word: str) -> bool:
    """Return whether `word`, in lower case, is one that announces an answer or asks for one."""
    word = word.lstrip("\\")
    return word in EMPTY_WORDS or (ord(word[0]) > 0x2E80 and not UNSPACED.sub("", word))

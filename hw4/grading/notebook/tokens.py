"""A cell's text as words with their places, and the labels that its lines begin with ("Answer 2:", "(b)", "**C**").

Words are folded: capitals, white space, quotation marks, bold, an editor's HTML, and the spacing and the fonts of TeX
make no difference. mistune and lxml tell no places in the source, and tokenizers of prose (nltk) know no TeX.
"""

import functools
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import pairwise

from .lexicon import (
    ANSWER_WORDS,
    ASKING_WORDS,
    LABEL_WORDS,
    NUMBERING_WORDS,
    NUMERALS,
    OR_WORDS,
    PHRASES,
    QUESTION_WORDS,
    SEVERAL_ANSWERS,
    VERDICT_WORDS,
    is_empty,
)

SILENT_TEX = (
    "quad qquad left right big Big bigg bigl bigr Bigl Bigr displaystyle limits boldsymbol mathbf mathrm mathit bm bb "
    "vec mat text textbf textit mathcal mathbb cset set rvar rvec newline"
).replace(" ", "|")
SILENT = r"<!--.*?(?:-->|\Z)|</?[a-zA-Z][\w-]*(?:\s[^<>]*)?/?>|&(?:nbsp|e[mn]sp|thinsp|amp|lt|gt);|\\[^a-zA-Z]"
PICTURE = r"<(?:img|IMG)\b[^<>]*>|!\[[^\]]*\]\([^()]*(?:\([^()]*\)[^()]*)*\)"
PUNCTUATION = r".,:;!?'\"()\[\]{}*`#>|~$&\-–—…“”„‘’«»•·/\\¿¡。，：；？！、（）"
MARKS = r"\u0300-\u036f\u0591-\u05bd\u064b-\u0652\u0900-\u0903\u093a-\u094f\u0962\u0963"  # of vowels, accents
TOKEN = re.compile(
    rf"([^\W_](?:[^\W_]|[{MARKS}]|['’](?=[^\W_]))*|{PICTURE}|\\(?!(?:{SILENT_TEX})(?![a-zA-Z]))[a-zA-Z]+"
    rf"|[^\w\s{MARKS}{PUNCTUATION}<]|<(?![!/a-zA-Z]))|{SILENT}",
    re.DOTALL,
)
LONGEST_PHRASE = 60  # characters, markup included, of one of the PHRASES
MADE_BY = "created-in-deepnote-cell"  # in the link that Deepnote puts at the end of what it exports
TICKS = set("✓✔✅☑✗✘❌☒👍👎")
STRUCK = re.compile(
    r"~~.+?~~|<(s|del|strike)\b[^<>]*>.*?</\1>|\\(?:st|sout|cancel)\{[^{}]*\}", re.IGNORECASE | re.DOTALL
)
LINE = re.compile(r"\n|<(?:br|p|li|tr|div|h[1-6])\b[^<>]*>", re.IGNORECASE)


def any_of(words: Collection[str]) -> str:
    """Return a pattern of any of `words`."""
    return "|".join(sorted(map(re.escape, words), key=len, reverse=True))


LEAD = r"(?:[\s>#*_|+•·~`'\",.;:\-–—]|<[^<>]*>|&nbsp;|\[[ xX]\]|\bf?print\()*"
JOINING = r"(?:[\s*_#&,/]|-(?!\s)|\b(?:to|for|of|my|the|your|our|no|number|and)\b)*"
NUMERAL = rf"(?i:\d{{1,2}}(?:st|nd|rd|th)?|(?:{any_of(NUMERALS)})(?![a-zа-яא-ת]))"
NAMES = re.compile(
    rf"{LEAD}(?:(?P<ordinal>{NUMERAL})\s(?={JOINING}(?:{any_of(LABEL_WORDS)})))?"
    rf"(?P<names>(?:{JOINING}(?:(?:{any_of(LABEL_WORDS)})(?:\.(?=\s*\d))?|a(?=\d\d?\s*[:.)])"
    rf"|(?P<numbering>{any_of(NUMBERING_WORDS)})\.?(?=[\s*]*(?:{NUMERAL}|{any_of(LABEL_WORDS)})))(?![^\W\d_一二三四五六]))*)"
    rf"(?P<end>\s*[*_]*\s*[:：|)–—-]?[*_\s]*)",
    re.IGNORECASE,
)
END = r"[*_\s]*(?:[.:)\]：、]+(?=[\s*_|<$\"']|\Z)|[：、]|(?<=[A-Z\d])[.)](?=[^\W\d_]{2})|[-–—](?=\s)|(?=\||</?[a-z]))"
WORDED = re.compile(r"[:)：]")
ABBREVIATED = re.compile(r"(?:\b(?:q|nr)\.?|\bn[º°]|№|\b(?:q|ex|num|n)\.)[\s*#]*\Z", re.IGNORECASE)
NUMBER = re.compile(rf"[(\[]?(?P<number>{NUMERAL})(?:\.(?P<part>[1-9]))?(?![\d%^])[题題問问]?(?P<end>{END})?")
LETTER = re.compile(
    r"[\s*_.]*[(\[]?(?P<letters>[A-Za-zא-ו](?:\s*(?:,|and|&|/|\+)\s*[A-Za-z](?![^\W_])|\s*\|\s*[A-Za-z](?=\s*\|))*|[ivxIVX]{2,4})(?![^\W_'’])"
    rf"(?P<end>{END}|\*\*|__)?"
)
NAMED_BY_ID = (
    rf"{LEAD}(?:{JOINING}(?:{any_of(LABEL_WORDS)})(?![^\W\d_]))*{JOINING}(?:\d{{1,2}}\W+)?\(?(?P<id>NAMES)(?![^\W_])['\"]?"
    r"(?:[\s_-]*\(?(?P<part>[A-Z])(?![^\W_]))?[\s*_]*(?:[)\].:：|–—-][)\].:：|–—\s*_-]*|\Z|(?=\n))"
)  # "Answer to cnn-2:", "Question 2 (cnn-2): three ways", "opt-2-b", "Dropout 1:"
MARKER = re.compile(rf"(?<![^\W_])(?:{any_of(ANSWER_WORDS)})\s*[*_]*\s*[:：]", re.IGNORECASE)
VERDICT = re.compile(
    rf"{LEAD}[(\[=]*(?:(?i:{any_of(VERDICT_WORDS - {'t', 'f'})})|[TF])(?![^\W_])|{LEAD}[{''.join(sorted(TICKS))}]"
)
NUMBERED = r"(?<=\s)\(?(?:[2-9]|1\d)[.):](?=\s)"
INLINE = r"(?<=[.;:,!?)|*])\s+[*_]*\(?(?:{0}[.):]|{1}\))"  # "A. Memory. B. Endless data."
ALPHABET = [chr(code) for code in range(ord("A"), ord("Z") + 1)]
HEBREW = str.maketrans("אבגדהו", "ABCDEF")
PART_NAME = re.compile(r"(?:part|section|item|statement|sentence|teil|partie|parte|inciso|סעיף)s?\W*\Z", re.IGNORECASE)


@dataclass(frozen=True)
class Label:
    """What a line begins with; `end` is where the text after it begins."""

    named: str = ""  # "answer", "question" or "part" for the word that stands in it
    number: int | None = None
    letters: str = ""  # of parts, "AB"; a Roman number is spelled with them
    verdict: bool = False
    end: int = 0


def tokens(source: str) -> tuple[list[str], list[tuple[int, int]]]:
    """Return the folded words of `source` and the (start, end) of each."""
    found = [(match[1], match.span()) for match in TOKEN.finditer(_folded(source)) if match[1]]
    return [word for word, _ in found], [span for _, span in found]


def words(source: str) -> list[str]:
    """Return the folded words of `source`."""
    return list(filter(None, TOKEN.findall(_folded(source))))


def _folded(source: str) -> str:
    """Return `source` without capitals and typographic apostrophes, of the same length."""
    return source.replace("İ", "I").lower().replace("’", "'")


def lines(source: str) -> Iterator[tuple[int, str]]:
    """Yield the lines of `source` that hold something, each with its place; an HTML block begins a line as well."""
    start = 0
    for match in LINE.finditer(source):
        if source[start : match.start()].strip():
            yield start, source[start : match.start()]
        start = match.end()
    if source[start:].strip():
        yield start, source[start:]


@functools.lru_cache(maxsize=10_000)  # lines: what was given stands in every submission of a class
def read_label(line: str) -> Label:
    """Return the label at the beginning of `line`."""
    names = NAMES.match(line)
    assert names  # each of its pieces may be empty
    said, at = set(words(names["names"])), names.end()
    named = "answer" if said & {*ANSWER_WORDS, "a"} else "question" if said & QUESTION_WORDS else "part" if said else ""
    named = "answer" if names["numbering"] and named != "question" else named
    direct = bool(said) and ":" not in names["end"] and "：" not in names["end"]
    number = NUMBER.match(line, at)
    if number and not said and not number["number"].isdigit() and not WORDED.search(number[0]):
        number = None  # prose: "First we take"
    letter = LETTER.match(line, number.end()) if number else None
    if number and number["end"] is None and (letter is None or letter["end"] is None):
        rest, head = line[number.end() :], line.lstrip().startswith("#")
        after = rest.lstrip()[:1]
        begins = named != "part" and after.isalpha() and not after.islower()  # a sentence, "Question 4 It is"
        alone = head or begins or re.match(r"[\s_]*(?:\*\*|\Z)", rest) or ABBREVIATED.search(names["names"])
        set_apart = line[at - 2 : at] == "**" == rest[:2] or line[at - 1] == "#" or (head and not rest.strip())
        number = number if set_apart or (direct and alone) else None
    ordinal = names["ordinal"] if said else None
    at = number.end() if number else at
    letter = LETTER.match(line, at)
    if letter and letter["end"] is None and not (direct and PART_NAME.search(names["names"])):
        letter = letter if VERDICT.match(line, letter.end()) else None
    at = letter.end() if letter else at
    row = re.sub(r"[^A-Z]", "", letter["letters"]) if letter and "|" in letter["letters"] else ""
    if letter and row not in "".join(ALPHABET):  # "| A | F |" is a part and its verdict, "| A | B |" are parts
        letter = re.compile(r"[\s*_.]*(?P<letters>[A-Z])").match(line, letter.start())
        at = letter.end() if letter else at
    if not (
        number or ordinal or letter or names["end"].strip() or line.lstrip().startswith("#") or not line[at:].strip()
    ):
        named = ""  # prose: "The answer is"
    at = at if number or letter or named else 0
    letters = re.sub(r"(?i)\band\b|[^a-zא-ו]", "", letter["letters"]).upper().translate(HEBREW) if letter else ""
    if number and number["part"]:
        letters = ALPHABET[int(number["part"]) - 1]
    numeral = ordinal or (number and number["number"])
    return Label(named, _value(numeral) if numeral else None, letters, bool(VERDICT.match(line, at)), at)


def _value(numeral: str) -> int:
    """Return the number that `numeral` is, such as "4", "4th", "four" or "Fourth"."""
    digits = re.match(r"\d+", numeral)
    return int(digits[0]) if digits else NUMERALS[numeral.lower()]


def first_label(source: str) -> Label:
    """Return the label at the beginning of the first line of `source` that holds something."""
    return read_label(next((line for _, line in lines(source)), ""))


def answer_start(source: str) -> int:
    """Return where in `source` a word such as "Answer:" stands; its length if none does."""
    named = next((at for at, line in lines(source) if read_label(line).named == "answer"), len(source))
    inline = MARKER.search(source)
    return min(named, inline.start()) if inline else named


def asks(source: str) -> bool:
    """Return whether what `source` says before an announced answer is a question or a task."""
    text = source[: answer_start(source)]
    told = words("".join(line[read_label(line).end :] for _, line in list(lines(text))[:2]))
    return text.rstrip("*_ \n").endswith(("?", "？", "؟")) or (told != [] and told[0] in ASKING_WORDS)


def says_something(text: str) -> bool:
    """Return whether `text` says anything beyond labels, what is struck out, and requests to answer such as "TODO"."""
    said: list[str] = []
    for _, line in lines(STRUCK.sub("", text)) if MADE_BY not in text else ():
        found = words(line[read_label(line).end :])
        for first, _, end in reversed(alternatives(found)):
            del found[first:end]  # the question's words, or a translation of them
        said += found
        if any(word in TICKS or (is_speech(word) and not is_empty(word)) for word in said):
            bodies = " ".join(line[read_label(line).end :] for _, line in lines(text[:LONGEST_PHRASE]))
            speech = " ".join(filter(is_speech, words(bodies))).replace("\\", "")
            return len(text) > LONGEST_PHRASE or speech not in PHRASES
    return said == ["a"]  # the choice of an answer, not the article


def alternatives(text: list[str]) -> list[tuple[int, int, int]]:
    """Return the indices in `text` of two verdicts to choose from, as in "true or false", and the index after them."""
    found = []
    for at in range(1, len(text) - 1):
        first, second = text[at - 1], text[at + 1]
        negated = text[at + 2 : at + 3] == [first]  # "correct or not correct"
        if text[at] in OR_WORDS and first in VERDICT_WORDS and (negated or second in VERDICT_WORDS - {first}):
            found.append((at - 1, at + 1, at + 2 + negated))
    return found


def poses(line: str) -> bool:
    """Return whether `line` is a question, or begins with alternatives of which it chooses none."""
    found = words(STRUCK.sub("", line))
    ends = [end for first, _, end in alternatives(found) if first == 0]
    return line.rstrip(" *_)").endswith(("?", "？", "؟")) or any(not VERDICT_WORDS & {*found[end:]} for end in ends)


def parts_of_line(at: int, line: str) -> Iterator[tuple[int, str]]:
    """Yield a line cut before the marks in its midst: "A. ... B. ...", "Answers: 1) ... 2) ..."."""
    label, cuts = read_label(line), [0]
    if label.named == "answer" and SEVERAL_ANSWERS & set(words(line)[:1]):
        cuts += [each.start() for each in re.finditer(NUMBERED, line)]
    letter = label.letters if len(label.letters) == 1 else "Z"
    while letter < "Z":
        letter = chr(ord(letter) + 1)
        found = re.compile(INLINE.format(letter, letter.lower())).search(line, cuts[-1])
        if found is None:
            break
        cuts.append(found.start())
    yield from ((at + start, line[start:end]) for start, end in pairwise([*cuts, len(line)]))


def is_speech(word: str) -> bool:
    """Return whether `word` is a picture or holds a letter or a digit."""
    return word[0] in "<!" or any(character.isalnum() for character in word)

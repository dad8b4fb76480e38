"""A notebook's cells and outputs as HTML, each cleaned alone, so that none can run, request or swallow what follows."""

import functools
import re
from base64 import b64encode
from html import escape, unescape

import nh3
from nbconvert.filters import Highlight2HTML, strip_ansi
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from pygments.token import STANDARD_TYPES

from ..notebook.questions import CELL_ID, role
from .formulas import Formulas

# The most characters that are laid out, since parsers take the square of them for what somebody wrote to that end: of a
# cell's markdown, of its code or an output's HTML, of a notebook in all; then of what is shown as text, of a picture.
MARKDOWN, RICH, NOTEBOOK, PLAIN, IMAGE = 30_000, 100_000, 500_000, 1_000_000, 5_000_000
NO_ALT = "Figure without a description"
LONG = 30  # lines; what is longer is folded
MEDIA = ["text/html", "text/markdown", "image/svg+xml", "text/latex", "image/png", "image/jpeg", "image/gif"]
PICTURE = re.compile(r"data:image/(?:svg\+xml|png|jpeg|gif|webp);base64,[A-Za-z0-9+/=]*")
LINK = re.compile(r"https?://|mailto:|#|[\w.~%-]+(?:/report)?\.html(?:#|$)", re.IGNORECASE)
MATH_IN_HTML = re.compile(
    r"<[^>]*>|\$\$(.+?)\$\$|(?<![\\$])\$([^$<]+?)\$|(\\begin\{([a-z]+\*?)\}.*?\\end\{\4\})", re.DOTALL
)
MENDED = re.compile(r'<(/?)(h[1-6]|img|table|math)((?: [a-z-]+="[^"]*")*)>')
LINE_BREAK = re.compile(r"(?<![\\$])\$\s*\\\\\s*\$(?!\$)")  # `$\\$`, whose end nbconvert does not see
UNSTYLED = re.compile(r'<span class="(?:n|p|w|o|nn|nb|na|bp|nv|vm|fm|mi|mf|mh|mb|mo)?">([^<]*)</span>')
FORMULA_HEAD = re.compile(
    r"<th([^>]*)>(\s*(?:<span[^>]*>)?<math(?:(?!</?th\b).)*</math>(?:</span>)?\s*)</th>", re.DOTALL
)
EMPTY_HEADING = re.compile(r"<(h[1-6])>\s*</\1>")
TAG = re.compile(r"<[^>]*>")
ROLES = {"question": "Question", "snippet": "Given code", "check": "Given check", "answer": "Answer", "note": "Note"}
STATUS = {
    "failed": "Failed",
    "timed out": "Timed out",
    "flooded": "Put out too much",
    "died": "The kernel died",
    "not run": "Not run",
}


def words(text):
    return set(text.split())


TAGS = words(
    "a abbr b blockquote br caption center code col colgroup dd del details dfn div dl dt em figcaption figure h1 "
    "h2 h3 h4 h5 h6 hr i img ins kbd li mark ol p pre q s samp small span strike strong sub summary sup table tbody "
    "td tfoot th thead tr tt u ul var math menclose mfrac mi mmultiscripts mn mo mover mpadded mphantom mprescripts "
    "mroot mrow mspace msqrt mstyle msub msubsup msup mtable mtd mtext mtr munder munderover"
)
MATHML = words(
    "accent accentunder display displaystyle form height linethickness lspace mathvariant maxsize minsize "
    "movablelimits notation rspace scriptlevel stretchy style symmetric width"
)
ATTRIBUTES = {tag: MATHML for tag in TAGS if tag.startswith("m") and tag != "mark"} | {
    "a": {"href"},
    "img": {"src", "alt", "width", "height"},
    "li": {"value"},
    "ol": {"start", "type"},
    "td": {"colspan", "rowspan", "align"},
    "th": {"colspan", "rowspan", "align", "scope"},
    "details": {"open"},
    "*": {"lang", "dir"},
}
STYLES = words("width text-align justify-items padding-left padding-right padding-top border-top border-right")


def _attribute(tag, name, value):
    """Keep pictures that are part of the page, and links that a reader follows on purpose."""
    if name == "src":
        return value if PICTURE.fullmatch(value) else None
    if name == "href":
        return value if LINK.match(value) else None
    if name in ("width", "height") and tag == "img":
        return value if value.isdecimal() else None
    return value


def cleaner(**ours):
    return nh3.Cleaner(attribute_filter=_attribute, filter_style_properties=STYLES, **ours)


FRAGMENT = cleaner(
    tags=TAGS,
    attributes=ATTRIBUTES,
    url_schemes={"http", "https", "mailto", "data"},
    url_relative="deny",
    allowed_classes={"span": set(STANDARD_TYPES.values()) - {""}, "div": {"highlight"}},
)


HIGHLIGHT = Highlight2HTML(pygments_lexer="ipython3")


class Renderer(IPythonRenderer):
    """nbconvert's renderer of markdown, with formulas drawn and without what would want a script or a network."""

    def __init__(self, formulas, attachments):
        super().__init__(escape=False, exclude_anchor_links=True, attachments=attachments)
        self.formulas = formulas

    def inline_math(self, body):
        return self.formulas.draw(body)

    def block_math(self, body):
        return self.formulas.draw(body, block=True)

    def latex_environment(self, name, body):
        return self.formulas.draw(rf"\begin{{{name}}}{body}\end{{{name}}}", block=True)

    def block_html(self, html):
        return math_in_html(html, self.formulas)

    def block_mermaidjs(self, code):
        return f"<pre>{escape(code)}</pre>"

    def image(self, text, url, title=None):
        found = self.attachments.get(url.removeprefix("attachment:"), {}) if url.startswith("attachment:") else {}
        url = next((f"data:{kind};base64,{data}" for kind, data in found.items()), url)
        return f'<img src="{escape(url)}" alt="{escape(unescape(text))}">'


def math_in_html(html, formulas):
    def draw(found):
        block, inline, environment = found[1], found[2], found[3]
        tex = block or inline or environment
        return formulas.draw(unescape(tex), block=not inline) if tex else found[0]

    return MATH_IN_HTML.sub(draw, html)


class Cells:
    """The cells of a result as HTML, drawn in the notebook's order, as macros want it."""

    def __init__(self, result):
        self.result, self.formulas, self.laid_out = result, Formulas(), 0
        self.executions = {execution.index: execution for execution in result.finding.executions}
        self.html = [self._cell(index, cell) for index, cell in enumerate(result.notebook.cells)]

    def _cell(self, index, cell):
        match, kind = CELL_ID.fullmatch(cell.get("id", "")), role(cell)
        part = (match["detail"] or "").upper() if kind == "answer" else ""
        name = f"{ROLES[kind]} {part}".strip() if kind in ROLES else "Evidence" if kind == "evidence" else "Added cell"
        loose = self.result.row_of[index] is self.result.loose
        level = 1 if loose else 3
        if cell.cell_type == "markdown":
            attachments = cell.get("attachments", {})
            body = self._rich(cell.source, level, lambda text: self.markdown(text, attachments), MARKDOWN)
        elif cell.cell_type == "code" and len(cell.source) <= RICH:
            body = fold(highlighted(cell.source), "Code", cell.source)
        else:
            body = plain(cell.source, "Code" if cell.cell_type == "code" else "Raw text")
        missing = self.result.row_of[index].question.missing
        if kind == "answer" and part in missing:
            body += mark("warn", "No answer", "stands in this cell.")
        outputs = "".join(
            f'<div class="output">{self._output(output, level)}</div>' for output in cell.get("outputs", [])
        )
        label = "" if level == 1 and cell.cell_type == "markdown" else f"{name} · cell {index + 1}"
        return (
            f'<div class="cell {kind or "added"}" id="cell-{index + 1}"><p class="label">{label}</p>'
            f"{self._marks(index, cell)}{body}{outputs}</div>"
        )

    def _marks(self, index, cell):
        """Say what became of a cell where it is not simply that it ran."""
        execution, marks = self.executions.get(index), []
        if execution and execution.status != "ok":
            marks.append(mark("bad", STATUS[execution.status], text(execution.reason)))
        elif not execution and cell.cell_type == "code" and cell.source.strip():
            marks.append(mark("bad", "Not run", "before the run ended."))
        if execution and execution.new_kernel:
            marks.append(mark("warn", "New kernel", "what earlier cells defined was lost before this one ran."))
        return "".join(marks + [remark(one) for one in self.result.finding.remarks if one.cell == index])

    def _rich(self, source, level, draw, limit=RICH):
        """Return `source` as `draw` makes it, cleaned; as plain text where it is too large, or beyond drawing."""
        self.laid_out += len(source) if len(source) <= limit else 0
        if len(source) <= limit and self.laid_out <= NOTEBOOK:
            try:
                return mend(FRAGMENT.clean(draw(sane(source))), level)
            except (RecursionError, ValueError, TypeError, KeyError, AttributeError):
                pass  # what the markdown parser makes of somebody's text is not ours to foresee
        return plain(source, "Text that is too large or too odd to be laid out")

    def markdown(self, source, attachments=None):
        source = LINE_BREAK.sub("<br>", source)
        return MarkdownWithMath(renderer=Renderer(self.formulas, attachments or {})).render(source)

    def _output(self, output, level):
        if output.output_type == "stream":
            return plain(output.text, "Printed" if output.name == "stdout" else "Printed as a warning or error")
        if output.output_type == "error":
            return plain("\n".join(output.traceback) or f"{output.ename}: {output.evalue}", "Traceback")
        data = {kind: value if isinstance(value, str) else str(value) for kind, value in output.data.items()}
        kind = next((kind for kind in MEDIA if kind in data), None)
        if kind in ("text/markdown", "text/latex"):
            return self._rich(data[kind], level, self.markdown, MARKDOWN)
        if kind == "text/html":
            return self._rich(data[kind], level, lambda html: math_in_html(html, self.formulas))
        if kind and len(data[kind]) <= IMAGE:
            return self._picture(kind, data[kind], output.metadata.get(kind, output.metadata), level)
        shown = plain(data["text/plain"], "Output") if "text/plain" in data else ""
        other = ", ".join(sorted(set(data) - {"text/plain"}))
        return shown + (f'<p class="note">Not shown here: output of the type {text(other)}.</p>' if other else "")

    def _picture(self, kind, data, metadata, level):
        data = b64encode(sane(data).encode()).decode() if kind == "image/svg+xml" else "".join(data.split())
        size = "".join(f' {name}="{escape(str(metadata.get(name, "")))}"' for name in ("width", "height"))
        alt = escape(sane(str(metadata.get("alt", ""))))
        return mend(FRAGMENT.clean(f'<img src="data:{kind};base64,{escape(data)}" alt="{alt}"{size}>'), level)


@functools.lru_cache(maxsize=1000)  # cells: what was given stands in every submission of a class
def highlighted(code):
    """Return `code` as HTML in colours."""
    return UNSTYLED.sub(r"\1", FRAGMENT.clean(HIGHLIGHT(sane(code))))


def sane(source):
    """Return `source` without halves of characters, which no file can hold."""
    return source.encode("utf-8", "replace").decode()


def text(value):
    return escape(sane(str(value)))


def mark(kind, word, rest=""):
    return f'<p class="mark {kind}"><strong>{word}</strong> {rest}</p>'


def remark(one):
    diff = f"<details><summary>Difference from what was given</summary><pre>{_lines(one.diff)}</pre></details>"
    return mark("warn", "Given cell changed:", text(one.text)) + diff * bool(one.diff)


def _lines(diff):
    kinds = {"+": "ins", "-": "del"}
    lines = ((kinds.get(line[:1], "span"), text(line)) for line in diff[:PLAIN].splitlines())
    return "\n".join(f"<{tag}>{line}</{tag}>" for tag, line in lines)


def plain(source, what):
    """Return `source` as text, folded where it is long and cut where it is endless."""
    source = strip_ansi(sane(source))
    cut = f'<p class="note">Cut here: it has {len(source):,} characters.</p>' if len(source) > PLAIN else ""
    return fold(f"<pre>{escape(source[:PLAIN])}</pre>{cut}", what, source)


def fold(html, what, source):
    lines = source.count("\n") + 1
    if lines <= LONG and len(source) <= LONG * 120:
        return html
    return f"<details><summary>{what}: {lines:,} lines, {len(source):,} characters</summary>{html}</details>"


def mend(html, level):
    """Let headings follow each other below `level`, say what a picture lacks, and let what is wide scroll alone."""
    last, opened, wide = level, [], ""

    def repair(found):
        nonlocal last, wide
        closing, tag, attributes = found.groups()
        if tag[0] == "h":
            if not closing:
                last = min(int(tag[1]) + level, last + 1, 6)
                opened.append(last)
            return f"<{closing}h{opened.pop() if closing else last}{attributes}>"
        if tag == "img":
            alt = re.search(r' alt="([^"]*\S[^"]*)"', attributes)
            if ' src="' not in attributes:
                about = f": {alt[1]}" if alt else ""
                return f'<span class="note">[Picture outside of the notebook, not shown{about}]</span>'
            bare = re.sub(r' alt="[^"]*"', "", attributes)
            return found[0] if alt else f'<img{bare} alt="{NO_ALT}"><span class="note">{NO_ALT}</span>'
        if tag == "table":
            return f"{found[0]}</div>" if closing else f'<div class="wide" tabindex="0">{found[0]}'
        if not closing:
            length = _longest(found.string[found.end() : found.string.find("</math>", found.end())])
            fit = next((f" fit-{size}" for size, least in ((40, 180), (60, 130), (80, 90)) if length > least), "")
            wide = "wide" if ' display="block"' in attributes else "long" if length > 30 else ""
            return f'<span class="{wide}{fit}" tabindex="0">{found[0]}' if wide else found[0]
        return f"{found[0]}</span>" if wide else found[0]

    html = EMPTY_HEADING.sub("", html).replace("<th></th>", "<td></td>")  # a head without words heads nothing
    return FORMULA_HEAD.sub(_named, MENDED.sub(repair, html))


def _named(head):
    """Give a table's head that is a formula alone its letters as text, since not every reader takes MathML for one."""
    formula = head[2].replace("<math", '<math aria-hidden="true"', 1)
    return f'<th{head[1]}><span class="spoken">{TAG.sub("", head[2]).strip()}</span>{formula}</th>'


def _longest(mathml):
    """Return about how many letters the longest line of a formula has: it cannot be wrapped, but scroll, or shrink."""
    return max(len(unescape(TAG.sub("", line))) for line in mathml.split("<mtr>"))

"""In a real browser: nothing that a student wrote covers, moves or colours what the grader says beside it.

A page is drawn twice, with all that is the student's seen and unseen, and a third time with their boxes painted: every
pixel outside of them must be the same. The sizes of the boxes are the same in all three.
"""

import http.server
import re
import shutil
import subprocess
import threading
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from hw4.grading.report.submission_page import submission_page
from hw4.grading.result import Result
from tests.report import hostile as page_cases
from tests.report.builders import question_page
from tests.report.hostile import STYLES

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = "--no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-component-update"
HIDDEN = ".student * { visibility: hidden !important; }"
PAINTED = HIDDEN + " .student { background: #f0f !important; } .student * { background: none !important; }"
GIF = "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
RED = 'mathcolor="#f00" mathbackground="#f00" style="color:red;background:red"'
BLOCKS = {
    "negative space": f'<math><mspace width="-90em"/><mtext {RED}>{"COVER" * 80}</mtext></math>',
    "lowered": f'<math><mpadded voffset="30em" height="0"><mtext {RED}>{"COVER" * 20}</mtext></mpadded></math>',
    "shifted": f'<math><mpadded width="0" lspace="-40em"><mtext {RED}>{"COVER" * 20}</mtext></mpadded></math>',
    "huge": f'<math><mstyle mathsize="90em"><mi {RED}>X</mi></mstyle></math>',
    "stretched": '<math><mo stretchy="true" minsize="90em">(</mo></math>',
    "stacked marks": "o" + "\u0300\u0316" * 300 + " " + ("e" + "\u20dd\u0488" * 90) * 9,
    "a long word": "W" * 30_000,
    "a wide picture": f'<img src="data:image/gif;base64,{GIF}" width=99999 height=99999>',
    "a wide table": f'<table style="padding-left:-90em"><tr><td style="width:900em">{"COVER " * 90}</td></table>',
    "a formula": r"$$\hspace{-90em}\rule{90em}{90em}\kern-99em\raisebox{40em}{COVER}\Huge X$$ $\mathllap{COVERCOVER}$",
    "thick borders": '<div style="border-left:9999px solid red;border-top:9999px solid red">COVER</div>',
    "a thick line": f'<u style="text-decoration:underline solid 999px red">{"COVER " * 9}</u>',
    "padding": '<p style="padding-left:9999px;padding-top:999px;background-color:red;width:99999px">COVER</p>',
    "a wide fraction": f'<math><mfrac linethickness="99em"><mi {RED}>COVER</mi><mi>X</mi></mfrac></math>',
    "large scripts": f'<math><mstyle scriptlevel="-99" mathsize="900%"><msup><mi {RED}>X</mi><mi>X</mi>'
    "</msup></mstyle></math>",
    "a wide formula": f'<math><mtable width="999em" columnspacing="99em" rowspacing="-99em" {RED}><mtr>'
    "<mtd>COVER</mtd>",
    "shifted styles": "".join(f'<div style="{style}">COVER</div>' for style in STYLES),
    "shifted signs": "".join(f'<math style="{style}"><mi style="{style}">COVER</mi></math>' for style in STYLES),
    "an open table": "<table><tr><td>" * 9 + "<caption>COVER",
}

pytestmark = [pytest.mark.slow, pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed")]


def screenshot(html: str, folder: Path, name: str) -> np.ndarray:
    page, picture = folder / f"{name}.html", folder / f"{name}.png"
    page.write_text(html, encoding="utf-8", errors="replace")
    command = [BROWSER, "--headless", *QUIET.split(), f"--user-data-dir={folder / name}", "--window-size=1000,3000"]
    command += ["--disable-sync", "--hide-scrollbars", f"--screenshot={picture}", page.as_uri()]
    subprocess.run(command, capture_output=True, timeout=120, check=True)
    return matplotlib.image.imread(picture)[..., :3]


def covered(html: str, folder: Path) -> int:
    """Return how many of the grader's own pixels the students' blocks of a page change."""
    head = "</head>"
    seen = screenshot(html, folder, "seen")
    unseen = screenshot(html.replace(head, f"<style>{HIDDEN}</style>{head}", 1), folder, "unseen")
    painted = screenshot(html.replace(head, f"<style>{PAINTED}</style>{head}", 1), folder, "painted")
    boxes = (painted[..., 0] > 0.9) & (painted[..., 1] < 0.1) & (painted[..., 2] > 0.9)
    assert boxes.any() and not boxes.all()
    return int((np.any(seen != unseen, axis=-1) & ~boxes).sum())


def hostile(names) -> list[Result]:
    """Return a submission per block: in an answer, and in what a cell puts out."""
    made = []
    for name in names:
        block = BLOCKS[name]
        output = new_output("display_data", data={"text/html": block})
        cells = [
            new_markdown_cell("### Why?", id="q-1-question"),
            new_markdown_cell(f"**Answer:**\n\n{block}", id="q-1-answer"),
            new_code_cell("show()", outputs=[output], id="shown"),
        ]
        made.append(Result(new_notebook(cells=cells), title=name, folder=name))
    return made


def test_no_block_covers_what_is_said_of_it_or_of_another_submission(tmp_path):
    results = hostile(BLOCKS)
    page = question_page("q-1", results[0], results)
    assert covered(page, tmp_path) == 0


@pytest.mark.parametrize("name", ["negative space", "stacked marks"])
def test_no_block_covers_the_verdict(tmp_path, name):
    (result,) = hostile([name])
    assert covered(submission_page(result), tmp_path) == 0


class Counting(http.server.BaseHTTPRequestHandler):
    """Counts what is asked of it."""

    def handle(self):
        self.server.asked += 1


@pytest.mark.parametrize("click", ["", "<script>document.querySelectorAll('main a').forEach(a => a.click())</script>"])
def test_nothing_of_a_hostile_page_runs_or_requests_in_a_browser(tmp_path, click):
    """Also without the policy in the page's head, which would stop scripts and requests a second time."""
    with http.server.HTTPServer(("127.0.0.1", 0), Counting) as server:
        server.asked = 0
        threading.Thread(target=server.serve_forever, daemon=True).start()
        made, _ = page_cases.notebook()
        html = submission_page(Result(made)).replace("evil.example", f"127.0.0.1:{server.server_port}")
        page = tmp_path / "page.html"
        loose = re.sub("<meta http-equiv=[^>]*>", "", html, count=1)
        page.write_text(loose.replace("</body>", f"{click}</body>"), encoding="utf-8", errors="replace")
        command = [BROWSER, "--headless", *QUIET.split(), f"--user-data-dir={tmp_path / 'user'}", "--disable-sync"]
        command += ["--virtual-time-budget=3000", "--dump-dom", page.as_uri()]
        dom = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
        server.shutdown()
    assert "safe 1" in dom and "<title>ran" not in dom and server.asked == 0


def test_a_block_without_its_frame_is_seen_to_cover(tmp_path):
    results = hostile(BLOCKS)
    page = question_page("q-1", results[0], results)
    loose = "<style>.student { contain: none !important; overflow: visible !important; }</style></head>"
    assert covered(page.replace("</head>", loose, 1), tmp_path) > 0

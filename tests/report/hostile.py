"""A notebook in which every cell, output, name and metadata tries to run, to request, or to swallow what follows."""

import base64

from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, new_raw_cell

ALERT = "document.title='ran'"
FAR = "http://evil.example/x"
SVG = f'<svg xmlns="http://www.w3.org/2000/svg" onload="{ALERT}"><script>{ALERT}</script><image href="{FAR}"/></svg>'

MARKUP = [
    f"<script>{ALERT}</script>",
    f"<script src='{FAR}.js'></script>",
    f"<img src=x onerror={ALERT}>",
    f"<img src='{FAR}.png' srcset='{FAR} 2x'>",
    f"<svg onload={ALERT}><script>{ALERT}</script></svg>",
    f"<svg><style><img src=x onerror={ALERT}></style></svg>",
    f"<math><annotation-xml encoding='text/html'><img src=x onerror={ALERT}></annotation-xml></math>",
    f"<math><mtext><table><mglyph><style><img src=x onerror={ALERT}>",
    f"<math href='javascript:{ALERT}'><mi xlink:href='javascript:{ALERT}'>x</mi></math>",
    f"<maction actiontype='statusline' xlink:href='javascript:{ALERT}'>x</maction>",
    f"<iframe src='javascript:{ALERT}' srcdoc='<script>{ALERT}</script>'></iframe>",
    f"<object data='{FAR}'></object><embed src='{FAR}'><applet code='{FAR}'></applet>",
    f"<form action='javascript:{ALERT}'><button formaction='javascript:{ALERT}'>go</button><input autofocus></form>",
    f"<meta http-equiv='refresh' content='0;url={FAR}'>",
    f"<base href='{FAR}/'><link rel=stylesheet href='{FAR}.css'>",
    f"<style>@import '{FAR}.css'; body {{ background: url({FAR}) }} * {{ display: none }}</style>",
    f"<p style='background:url({FAR});position:fixed;inset:0'>over everything</p>",
    f"<a href='javascript:{ALERT}'>link</a><a href='&#106;avascript:{ALERT}'/><a href=' java\tscript:{ALERT}'>x</a>",
    f"<a href='data:text/html,<script>{ALERT}</script>'>data</a>"
    f"<a href='vbscript:{ALERT}'>vb</a><a href='file:///etc'>f</a>",
    f"<a href='//evil.example' ping='{FAR}' target='_blank'>ping</a><area href='javascript:{ALERT}'>",
    f"<body onload={ALERT}><html onclick={ALERT}>",
    f"<details open ontoggle={ALERT}><summary>x</summary></details>",
    f"<video src='{FAR}' poster='{FAR}' onplay={ALERT}><source src='{FAR}'></video><audio src='{FAR}'></audio>",
    f"<table background='{FAR}'><tr><td background='{FAR}'>x</td></tr></table>",
    f"<blockquote cite='javascript:{ALERT}'>x</blockquote><q cite='{FAR}'>x</q>",
    f'<template><script>{ALERT}</script></template><noscript><p title="</noscript><script>{ALERT}</script>">',
    f"<p id='questions' class='verdict ok' tabindex='1' accesskey='x' contenteditable onfocus={ALERT}>All answered</p>",
    f"<div data-x='\"><script>{ALERT}</script>' title='\"><img src=x onerror={ALERT}>'>x</div>",
    f"[a](javascript:{ALERT}) [b](<data:text/html;base64,PHNjcmlwdD4=>) ![c](javascript:{ALERT}) <javascript:{ALERT}>",
    f"![remote]({FAR}.png) ![]({FAR}.gif) ![x](file:///etc/passwd) ![y](data:text/html;base64,PHNjcmlwdD4=)",
    f'![a" onerror="{ALERT}](x) ![b](x"onerror="{ALERT})',
    f"```mermaid\n</pre><script>{ALERT}</script>\n```",
    f'```python"><script>{ALERT}</script>\nx\n```',
    f"$\\text{{<img src=x onerror={ALERT}>}}$ $\\href{{javascript:{ALERT}}}{{x}}$",
    f"$\\style{{background:url({FAR})}}{{x}}$ $\\class{{verdict ok}}{{x}}$ $\\cssId{{questions}}{{x}}$",
    f"$$\\unknown{{</code></div><script>{ALERT}</script>}}$$",
    f"<div>$$</div><script>{ALERT}</script>$$</div>",
    "![attached](attachment:a.svg) ![html](attachment:a.html) ![none](attachment:none.png)",
    "$" + r"\sqrt" * 3000 + "$ $" + "{" * 4000 + "$ $" + r"\sin(" * 700 + "$ $" + r"\def\a{\a\a}\a" + "$",
    "<div>" * 3000,
    "> " * 3000 + "deep",
    "[" * 3000 + "](" * 3000,
    "*a **b " * 2000,
    "half a character \ud800, nothing \x00, and back \u202eto front",
]
SPELLINGS = [  # of a scheme that runs what follows it
    *(
        "JaVaScRiPt:",
        " javascript:",
        "java\tscript:",
        "java\nscript:",
        "\x01javascript:",
        "javascript\t:",
        "javascript&colon;",
    ),
    *(
        "&#106;avascript:",
        "&#x6A;avascript:",
        "jav&Tab;ascript:",
        "jav&NewLine;ascript:",
        "java\0script:",
        "%6Aavascript:",
    ),
    *(
        "\ue000javascript:",
        "java&shy;script:",
        "ｊavascript:",
        "feed:javascript:",
        "view-source:javascript:",
        "livescript:",
    ),
    *(
        "vbscript:",
        "data:text/html,<script>",
        "data:text/html;base64,",
        "DATA:image/svg+xml,<svg onload=",
        "blob:http://x/",
    ),
]
MARKUP += [
    f'<a href="{spelling}{ALERT}">a</a> [b](<{spelling}{ALERT}>) ![c]({spelling}{ALERT})' for spelling in SPELLINGS
]
STYLES = [
    *("position:fixed;inset:0", "position:absolute;top:-99em", "position:sticky;top:0", "float:right;margin:-99em"),
    *("margin:-999px 0 0 -999px", "transform:scale(99)", "translate:0 -99em", "animation:x 1s infinite", "zoom:99"),
    *("z-index:9999", "display:contents", "clip-path:none", "filter:invert(1)", "content:'x'", "inset:-99em"),
    *(
        "outline:9999px solid red",
        "box-shadow:0 0 0 9999px red",
        "font-size:9999px",
        "line-height:0",
        "letter-spacing:-9em",
    ),
    *(
        f"background:url({FAR})",
        f"background-color:red url('{FAR}')",
        f"width:u\\72l({FAR})",
        f"--x:url({FAR});color:var(--x)",
    ),
    *(f"border-top:1px solid;border-image:url({FAR})", f"width:image-set('{FAR}' 1x)", f"list-style:url({FAR})"),
    *(
        f"color:red;}} @import '{FAR}';{{",
        "width:expression(alert(1))",
        f"behavior:url({FAR})",
        f"cursor:url({FAR}),auto",
    ),
]
MARKUP += [
    f'<div style="{style}">over</div> <math style="{style}"><mi style="{style}">x</mi></math>' for style in STYLES
]
MARKUP += [
    f"<svg><use href='data:image/svg+xml,<svg id=x onload={ALERT}>#x'/><image href='{FAR}'/></svg>",
    f"<svg><foreignObject><iframe srcdoc='<script>{ALERT}</script>'></iframe>"
    f"<body onload={ALERT}></foreignObject></svg>",
    f"<svg><animate onbegin={ALERT} attributeName=x dur=1s><set attributeName=href to='javascript:{ALERT}'/></svg>",
    f"<svg><a xlink:href='javascript:{ALERT}'><text>x</text></a><feImage href='{FAR}'/></svg>",
    f"<iframe srcdoc='&lt;script&gt;{ALERT}&lt;/script&gt;'></iframe><frameset><frame src='{FAR}'></frameset>",
    f"<form id=f action='{FAR}'><input type=image src='{FAR}' formaction='{FAR}'></form>"
    "<button form=f type=submit>x</button>",
    f"<isindex action='javascript:{ALERT}' type=image><keygen autofocus onfocus={ALERT}>"
    f"<input autofocus onfocus={ALERT}>",
    f"<META HTTP-EQUIV=Refresh CONTENT='0; URL=javascript:{ALERT}'><meta http-equiv=set-cookie content=x=1>",
    f"<base target=_top href=//evil.example/><link rel='prefetch stylesheet dns-prefetch' href='{FAR}'>",
    f"<style>@import url('{FAR}');@font-face {{ font-family: x; src: url({FAR}) }}"
    ".verdict { visibility: hidden }</style>",
    f"<img src='{FAR}' lowsrc='{FAR}' dynsrc='{FAR}' longdesc='{FAR}' usemap='#m' loading=eager>"
    f"<picture><source srcset={FAR}></picture>",
    f"<table><tbody background='{FAR}'><tr background='{FAR}'></table><body background='{FAR}'><bgsound src='{FAR}'>",
    f"<math><mtext><form><mglyph><style></math><img src onerror={ALERT}></style></mglyph></form></mtext></math>",
    f"<form><math><mtext></form><form><mglyph><style></math><img src onerror={ALERT}>",
    f"<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror={ALERT}&gt;'>",
    f'<svg></p><style><a id="</style><img src=1 onerror={ALERT}>"><title><a id="</title><img src=1 onerror={ALERT}>">',
    f'<noembed><p title="</noembed><img src=1 onerror={ALERT}>"><xmp><p title="</xmp><img src=1 onerror={ALERT}>">',
    f"<div a='1\n><img src=1 onerror={ALERT}>' <img src=1 onerror={ALERT} //><p <script>{ALERT}</script>",
    "@\ue0000@ @&#xE000;0@ $x$ <img alt='@&#xE000;0@' src=x> `@&#xE000;1@` &#xE001; "
    "<b title='\ue000'>$\\text{\ue000}$</b>",
]
OPENERS = [
    f"<{tag}>"
    for tag in [
        "textarea",
        "title",
        "style",
        "script",
        "xmp",
        "plaintext",
        "noscript",
        "iframe",
        "select",
        "option",
        "template",
    ]
]
OPENERS += [
    "<!--",
    "<![CDATA[",
    "<?php",
    "<div",
    "<a href='",
    '<p title="',
    "<details>",
    "<table><tr><td>",
    "<svg>",
    "<math>",
]
OPENERS += [
    "<svg><![CDATA[",
    "<math><mtext>",
    "<pre>",
    "```",
    "~~~",
    "$$",
    "<noembed>",
    "<frameset>",
    "<button>",
    "<h1>",
    "</div></main>",
]
DATA = [
    ("text/html", f"<script>{ALERT}</script><img src=x onerror={ALERT}>"),
    ("text/html", f"<a href='javascript:{ALERT}'>x</a><!--"),
    ("text/markdown", f"<script>{ALERT}</script> [x](javascript:{ALERT}) <textarea>"),
    ("text/latex", f"$\\text{{</math><script>{ALERT}</script>}}$"),
    ("image/svg+xml", SVG),
    ("image/png", f'AAAA"><script>{ALERT}</script>'),
    ("image/jpeg", f"x' onerror='{ALERT}"),
    ("text/vnd.mermaid", f"</pre><script>{ALERT}</script>"),
    ("application/javascript", ALERT),
    ("application/vnd.jupyter.widget-view+json", {"model_id": f"</script><script>{ALERT}</script>"}),
    ("application/vnd.bokehjs_exec.v0+json", ""),
    ("application/pdf", "JVBERi0="),
    (f"text/x<script>{ALERT}</script>", f"<script>{ALERT}</script>"),
    ("text/plain", f"\x1b[31m\x1b]8;;javascript:{ALERT}\x07<script>{ALERT}</script>\x1b[0m"),
]
METADATA = {
    "width": f"1 onload={ALERT}",
    "height": '"><script>',
    "alt": f'"><script>{ALERT}</script>',
    "unconfined": True,
}


def notebook():
    """Return the notebook; after each hostile cell comes one that says `safe 1`, `safe 2`, ..."""
    cells = [new_markdown_cell(source) for source in MARKUP + OPENERS]
    for kind, value in DATA:
        shown = new_output("display_data", data={kind: value}, metadata={kind: METADATA, **METADATA})
        cells.append(new_code_cell("show()", outputs=[shown]))
    cells.append(new_code_cell(f"# </pre><script>{ALERT}</script>", outputs=[new_output("stream", text=MARKUP[0])]))
    traceback = [f"\x1b[0;31m<script>{ALERT}</script>", "</pre>"]
    cells.append(new_code_cell("x", outputs=[new_output("error", ename="</p>", evalue=MARKUP[0], traceback=traceback)]))
    cells.append(new_raw_cell(MARKUP[0], metadata={"raw_mimetype": "text/html"}))
    for cell in cells:
        cell.metadata.update(tags=[f'"><script>{ALERT}</script>'], name=MARKUP[0])
        if cell.cell_type == "markdown":
            cell.attachments = {
                "a.svg": {"image/svg+xml": base64.b64encode(SVG.encode()).decode()},
                "a.html": {"text/html": base64.b64encode(MARKUP[0].encode()).decode()},
            }
    question = new_markdown_cell("### <script>question</script>", id="q-1-question")
    question["id"] = f'"><script>{ALERT}</script>-question'
    every = [question]
    for number, cell in enumerate(cells):
        every += [cell, new_markdown_cell(f"safe {number}")]
    made = new_notebook(metadata={"title": MARKUP[0], "language_info": {"name": MARKUP[0]}})
    made.cells = every  # which would not be valid
    made.metadata.widgets = {"application/vnd.jupyter.widget-state+json": {"state": {"x": f"</script>{MARKUP[0]}"}}}
    return made, len(cells)

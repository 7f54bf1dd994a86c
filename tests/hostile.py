"""Notebooks that try to run or fetch something in whoever opens a page made of them."""

import base64
from collections import defaultdict
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import nbformat
import pandas as pd
from made_up_scores import scores

from ivdlib import files
from ivdlib.evaluation import tables

V4 = nbformat.v4
NAME = '<img src=x onerror="RUN">&\''
"""Of a student, a case, an experiment."""

SCRIPTED = (
    '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
    'width="40" height="40" onload="RUN"><script>RUN</script><image href="HOST/in.png" width="9" '
    'height="9"/><style>@import url(HOST/in.css);</style><rect width="40" height="40" '
    'fill="url(HOST/in.svg#x)"/><foreignObject width="9" height="9">'
    '<iframe xmlns="http://www.w3.org/1999/xhtml" src="HOST/in.html"/></foreignObject></svg>'
)

ATTACKS = {
    "comment": '<!--><img src=x onerror="RUN">--> <!-- --!><img src=x onerror="RUN"> <!-->-->',
    "animate": '<svg width=90 height=40><a><animate attributeName=href values="javascript:RUN"/>'
    "<text x=9 y=20>click</text></a><set attributeName=onload to=RUN /></svg>",
    "svg image": '<svg><image href="HOST/a.png" width=9 height=9 /><image xlink:href="HOST/b.png" '
    'width=9 height=9 /><use href="HOST/c.svg#x"/><filter id=f><feImage href="HOST/d.png"/>'
    '</filter></svg><image src="HOST/e.png">',
    "image-set": "<p style=\"background: image-set('HOST/a.png' 1x)\">a</p>"
    '<p style="border-image: url(HOST/b.png) 3; border: 3px solid">b</p>'
    '<p style="background: u\\72l(HOST/c.png)">c</p><p style="--x: url(HOST/d.png); background:'
    ' var(--x)">d</p><ul><li style="list-style: url(HOST/e.png)">e</ul><p style="content:'
    " url(HOST/f.png); cursor: url(HOST/g.cur), auto; mask: url(HOST/h.svg#m)\">f</p>",
    "style": '<style>@import "HOST/a.css"; body { background: url(HOST/b.png) }</style>'
    "<svg><style>@import url(HOST/c.css);</style></svg>",
    "links": '<a href="JaVaScRiPt:RUN">a</a> <a href="java\tscript:RUN">b</a> <a href="&#106;ava&#'
    'x0A;script&colon;RUN">c</a> <a href=" \x01javascript:RUN">d</a> <a href="data:text/html,'
    '<script>RUN</script>">e</a> <map><area href="javascript:RUN" shape=default></map> '
    '<a href="//HOST/f" ping="HOST/g" target=_top>f</a> [g](javascript:RUN)',
    "srcset": '<img srcset="HOST/a.png 1x" src="data:image/png,"><picture><source '
    'srcset="HOST/b.png"><img></picture><img src="HOST/c.png" alt="there"><body '
    'background="HOST/d.png"><table background="HOST/e.png"><td>e</table> ![f](HOST/f.png)',
    "base": '<base href="HOST/"><img src="a.png"><a href="#x">b</a>',
    "refresh": '<meta http-equiv=refresh content="0;url=HOST/a.html">',
    "mathml": "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 "
    'onerror=RUN&gt;"></mglyph></table></mtext></math><math><annotation-xml encoding="text/html">'
    '<img src=x onerror="RUN"></annotation-xml></math>',
    "namespaces": '<svg></p><style><a id="</style><img src=x onerror=RUN>"></style></svg><form>'
    "<math><mtext></form><form><mglyph><style></math><img src=x onerror=RUN></style>",
    "noscript": '<noscript><p title="</noscript><img src=x onerror=RUN>"></noscript><img src=x '
    "onerror=RUN>",
    "template": '<div><template shadowrootmode=open><img src="HOST/a.png" onerror="RUN">'
    "</template></div>",
    "form": '<form action="HOST/a"><input type=image src="HOST/b.png"><input autofocus onfocus='
    '"RUN"><button formaction="javascript:RUN">go</button></form>',
    "frames": '<iframe srcdoc="<script>top.RUN</script>"></iframe><iframe src="HOST/a.html">'
    '</iframe><object data="HOST/b.html"></object><embed src="HOST/c.html">',
    "media": '<video poster="HOST/a.png" src="HOST/b.mp4"></video><audio autoplay src="HOST/c.mp3">'
    '</audio><video><source src=x onerror="RUN"></video>',
    "events": '<details open ontoggle="RUN"><summary>a</summary></details><b tabindex=1 autofocus '
    'onfocus="RUN" onclick="RUN">b</b><svg/onload=RUN><body onload="RUN">',
    "scripts": '<script>RUN</script><script src="HOST/a.js"></script><link rel=stylesheet href='
    '"HOST/b.css"><link rel=prefetch href="HOST/c"><svg><script href="HOST/d.js" /></svg>',
    "data image": '<img src="data:image/svg+xml;base64,SCRIPTED"><iframe src="data:image/svg+xml;'
    'base64,SCRIPTED"></iframe><img src="data:text/html,x" onerror="RUN">',
    "swallowing": '<title><img src="</title><img src=x onerror=RUN>"><textarea></textarea><img '
    'src=x onerror=RUN><xmp></xmp><noembed><p title="</noembed><img src=x onerror=RUN>"></noembed>'
    "<select><plaintext>",
    "quotes": "<img alt=\"`'><script>RUN</script>\"'\"><img src='x'/onerror=RUN//><img \"\"\">"
    "<script>RUN</script>\"><IMG SRC=x ONERROR=RUN><b title='\"><img src=x onerror=RUN>'>",
    "sections": "<svg><![CDATA[><img src=x onerror=RUN>]]></svg><![if]><img src=x onerror=RUN>"
    '<?xml-stylesheet href="HOST/a.css"?><!DOCTYPE x>',
    "covering": '<div style="position: fixed; inset: 0; background: red; z-index: 9">COVER</div>'
    '<div style="margin: -9000px; padding: 9000px">COVER</div><div style="width: 9000px; height: '
    '9000px; transform: translate(-4000px, -4000px)">COVER</div><img src=x onerror=RUN>',
}  # fmt: skip


def filled(text: str, host: str) -> str:
    """An attack whose scripts leave a mark and whose addresses are those of a server."""
    for name, value in {
        "SCRIPTED": base64.b64encode(filled(SCRIPTED, host).encode()).decode()
        if "SCRIPTED" in text
        else "",
        "//HOST": host.removeprefix("http:"),
        "HOST": host,
        "RUN": "window.ran=document.title=1+(alert(1)||0)",
    }.items():
        text = text.replace(name, value)
    return text


def notebook(attack: str) -> nbformat.NotebookNode:
    """A student's copy that has the attack wherever a notebook can hold text."""
    out = V4.new_output
    picture = {"image/svg+xml": SCRIPTED, "text/plain": attack}
    widget = {"application/vnd.jupyter.widget-view+json": {"model_id": attack}}
    kinds = ("text/html", "text/markdown", "text/latex", "application/javascript", "text/plain",
             "image/png", "image/jpeg", "application/pdf", "text/vnd.mermaid")  # fmt: skip
    outputs = [
        *(out("display_data", data={kind: attack}, metadata={kind: {"alt": attack}, "alt": attack})
          for kind in kinds),
        out("display_data", data=picture, metadata={"image/svg+xml": {"alt": attack}}),
        out("display_data", data=widget),
        out("execute_result", data={"text/html": attack}, metadata={"isolated": True}),
        out("stream", name="stdout", text=f"\x1b[31m{attack}\x1b[0m"),
        out("stream", name="stderr", text=attack),
        out("error", ename=attack, evalue=attack, traceback=[attack]),
    ]  # fmt: skip
    marks = {"grade": True, "solution": True, "grade_id": "w1", "points": 1, "schema_version": 3}
    attached = {"attachments": {"a": {"text/html": attack}, "b": {'image/"><img onerror=RUN>': ""}}}
    cells = [
        V4.new_markdown_cell(f"# A lesson\n\n{attack}\n\nwords after\n\n## {attack}\n\n- {attack}"),
        V4.new_markdown_cell("![a](attachment:a) ![b](attachment:b)", **attached),
        V4.new_markdown_cell(f"```{attack}\n{attack}\n```\n\n`{attack}` ${attack}$\n\n> {attack}"),
        V4.new_code_cell(f"#{attack}", outputs=outputs, execution_count=1,
                         metadata={"tags": [attack.replace(",", ";")], "magics_language": attack,
                                   "folded": attack}),
        V4.new_raw_cell(attack, metadata={"format": "text/html"}),
        V4.new_markdown_cell(f"## Exercise 1 (5 minutes)\n\n{attack}\n\n## {attack}"),
        V4.new_markdown_cell(f"{attack}\n\nmy answer", metadata={"nbgrader": marks}),
        V4.new_markdown_cell("words at the end"),
    ]  # fmt: skip
    metadata = {"title": attack, "language_info": {"name": attack, "pygments_lexer": attack},
                "kernelspec": {"name": attack, "language": attack, "display_name": attack},
                "authors": [{"name": attack}]}  # fmt: skip
    return V4.new_notebook(cells=cells, metadata=metadata)


def experiment(folder: Path, name: str) -> Path:
    """An experiment that is called `name`, as are its scans, and most else in its record."""
    record = {"name": name, "config": {"profile": {"name": name}, "folds": [], "data": name},
              "cases": {name: {"subject": name}}, "made": "2026-01-02T03:04:05+00:00",
              "data": name, "short_of": [name], "command": [name], "versions": {name: name},
              "deviations": [dict.fromkeys(("field", "ours", "paper", "why"), name)],
              "open_choices": [dict.fromkeys(("what", "ours", "paper", "why"), name)],
              "device": name}  # fmt: skip
    files.write_json(folder / "record.json", record)
    metrics = scores({("fds_cnn", name): 0.0}, patients=[name], contrasts=("wat", "fat", name))
    files.write_csv(folder / "metrics.csv", metrics)
    tables.write_tables(metrics, folder / "tables", name, set())
    files.write_csv(folder / "trainings" / "a" / "history.csv",
                    pd.DataFrame({"step": [1, 2], "loss": [1.0, 0.5]}))  # fmt: skip
    made = {"target": "disc", "network": "fds_cnn", "arm": "with", "device": name,
            "seconds_training": 1.0, "seconds_scoring": 1.0}  # fmt: skip
    files.write_json(folder / "trainings" / "a" / "record.json", made)
    return folder


@contextmanager
def server():
    """Give the address of a server, and by page what was asked of it."""
    asked = defaultdict(list)
    kinds = {
        "js": "text/javascript",
        "css": "text/css",
        "html": "text/html",
        "svg": "image/svg+xml",
    }

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):  # noqa: N802
            asked[self.path].append(self.headers.get("Referer", ""))
            self.send_response(200)
            self.send_header("Content-Type", kinds.get(self.path.split(".")[-1], "text/plain"))
            self.end_headers()

        do_POST = do_GET  # noqa: N815

        def log_message(self, *words):
            pass

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=running.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{running.server_port}", asked
    finally:
        running.shutdown()
        running.server_close()

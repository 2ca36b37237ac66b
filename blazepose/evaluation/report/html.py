"""Convert a Markdown report into one HTML file with embedded images."""

import base64
import html
import re
from pathlib import Path

import markdown

_STYLE = """
:root { color-scheme: light; --ink: #1d2733; --pale: #66717d; --rule: #dde2e7; --accent: #0f6cbd; }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2.5rem 1.5rem 4rem; max-width: 62rem; color: var(--ink); background: #fff;
  font: 15px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0 0 .5rem; overflow-wrap: anywhere; }
h2 { font-size: 1.25rem; margin: 2.8rem 0 .8rem; padding-top: 1rem; border-top: 1px solid var(--rule); }
h3 { font-size: 1.02rem; margin: 2rem 0 .6rem; }
nav { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; font-size: .9rem; margin: .8rem 0 1.6rem; }
a { color: var(--accent); text-decoration: none; }
.wide { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
th { text-align: left; font-weight: 600; color: var(--pale); border-bottom: 2px solid var(--rule); }
th, td { padding: .3rem .9rem .3rem 0; vertical-align: top; }
td[style*="right"] { white-space: nowrap; }
td:first-child { min-width: 9rem; }
td { border-bottom: 1px solid var(--rule); }
img { max-width: 100%; height: auto; margin: .8rem 0; }
code, pre { font: .85rem/1.5 ui-monospace, Menlo, Consolas, monospace; overflow-wrap: anywhere; }
pre { background: #f5f7f9; padding: .9rem 1rem; border-radius: 6px; white-space: pre-wrap; }
@media print { h2 { break-after: avoid; } img, tr { break-inside: avoid; } nav { display: none; } }
"""


def write_html(text: str, file: Path) -> None:
    """Write a report as one HTML file.

    Args:
        text: Markdown text; its images are PNGs next to `file`.
        file: HTML file to write.
    """
    convert = markdown.Markdown(extensions=["tables", "fenced_code", "toc", "sane_lists"])
    # Names of files and groups are plain text, even if they contain markup.
    convert.preprocessors.deregister("html_block")
    convert.inlinePatterns.deregister("html")
    body = convert.convert(text)
    body = re.sub(r'src="([\w.]+\.png)"', lambda match: f'src="{_inline(file.parent / match[1])}"', body)
    body = body.replace("<table>", '<div class="wide"><table>').replace("</table>", "</table></div>")
    title = html.escape(re.sub(r"^#+\s*", "", text.splitlines()[0]))
    heading, rest = body.split("</h1>", 1)
    links = "".join(
        f'<a href="#{section["id"]}">{section["name"]}</a>' for section in convert.toc_tokens[0]["children"]
    )
    page = f"{heading}</h1>\n<nav>{links}</nav>\n{rest}"
    file.write_text(
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{title}</title>\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<style>{_STYLE}</style>\n'
        f"</head>\n<body>\n{page}\n</body>\n</html>\n"
    )


def _inline(image: Path) -> str:
    return f"data:image/png;base64,{base64.b64encode(image.read_bytes()).decode()}"

"""Let MkDocs build a site from the whole repository: `make docs`.

MkDocs reads one folder, but our pages are in several folders and link to each other. So the site
has the pages under their paths in the repository, and relative links stay as they are.
"""

import json
import os
import re
import subprocess
from html import unescape
from pathlib import Path
from typing import Any

from latex2mathml.converter import convert
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]
PAGES = ("*.md", ":!src", ":!tests")
ASSETS = ("docs/site/*",)
NOTEBOOK = "docs/notebook.ipynb"
NOTEBOOK_PAGE = "docs/notebook.md"
LINK = re.compile(r"\[(?P<text>[^\[\]]*)\]\((?P<target>[^)#\s]+)(?P<anchor>#[^)\s]*)?\)")
FORMULA = re.compile(
    r"(?P<before>class=\"arithmatex\">)\\[(\[](?P<latex>.+?)\\[)\]]", flags=re.DOTALL
)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Return the files of the theme, our pages, what they link to, and a page for the notebook."""
    theme = [file for file in files if file.src_dir != config.docs_dir]
    pages = committed(*PAGES)
    linked = {target for page in pages for target in targets(page)}
    paths = sorted({*pages, *committed(*ASSETS), *linked.intersection(committed())})
    ours = [File.generated(config, path, abs_src_path=str(ROOT / path)) for path in paths]
    notebook = File.generated(config, NOTEBOOK_PAGE, content=notebook_as_markdown())
    return Files([*theme, *ours, notebook])


def committed(*patterns: str) -> list[str]:
    """Return the committed files with paths like these, or all committed files."""
    command = ["git", "ls-files", "-z", "--", *patterns]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return listed.rstrip("\0").split("\0")


def targets(page: str) -> list[str]:
    """Return the paths in the repository to which a page links."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return [path_of(page, link["target"]) for link in LINK.finditer(text)]


def path_of(page: str, target: str) -> str:
    """Return the path in the repository of a relative link."""
    return os.path.normpath(Path(page).parent / target)


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Let links to the notebook lead to its page, and make links to folders plain text."""

    def shown(link: re.Match[str]) -> str:
        if (ROOT / path_of(page.file.src_uri, link["target"])).is_dir():
            return link["text"]
        return link[0].replace("notebook.ipynb)", "notebook.md)")

    return LINK.sub(shown, markdown)


def on_page_content(html: str, **_: Any) -> str:
    """Replace formulas by MathML, which browsers show without a script."""
    return FORMULA.sub(as_mathml, html)


def as_mathml(formula: re.Match[str]) -> str:
    """Return the MathML of one formula, in a line or as a block."""
    latex = unescape(formula["latex"]).replace("{aligned}", "{align*}")  # of these, it knows align*
    display = "inline" if formula[0].endswith(r"\)") else "block"
    mathml = str(convert(latex, display=display))
    spaced = mathml.replace("<mi>log</mi>", '<mo lspace="0.17em" rspace="0.17em">log</mo>')
    return formula["before"] + spaced.replace(r"\_", "_")


def notebook_as_markdown() -> str:
    """Return the cells of the notebook as a page."""
    cells = json.loads((ROOT / NOTEBOOK).read_text(encoding="utf-8"))["cells"]
    texts = [("".join(cell["source"]), cell["cell_type"]) for cell in cells]
    return "\n\n".join(
        f"```python\n{text}\n```" if kind == "code" else text for text, kind in texts
    )

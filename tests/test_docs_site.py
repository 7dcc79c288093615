"""The documentation as it is built: links lead somewhere, names have their place, nothing comes from elsewhere."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import threading
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

import pytest

import nncompare
import nncompare.plugin

from .documents import ROOT, every_command, every_option

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("mkdocs") is None, reason="mkdocs is not installed: pip install '.[docs]'"
    ),
]


class Links(HTMLParser):
    """What a page links to and loads, and the anchors that it has."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.anchors: set[str] = set()
        self.images_without_text: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = {name: value or "" for name, value in attrs}
        self.anchors |= {known[name] for name in ("id", "name") if name in known}
        if tag == "a" and "href" in known:
            self.links.append(known["href"])
        if tag == "link" and known.get("rel") != "canonical":
            self.loads.append(known["href"])
        if tag in {"script", "img", "iframe", "source", "video", "audio", "embed"} and known.get("src"):
            self.loads.append(known["src"])
        if tag == "img" and not known.get("alt"):
            self.images_without_text.append(known.get("src", ""))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site as `nox -s docs` does, with every warning an error."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def built(site: Path) -> dict[Path, Links]:
    return {page: Links(page.read_text(encoding="utf-8")) for page in sorted(site.rglob("*.html"))}


def target_of(page: Path, link: str, site: Path) -> tuple[Path, str]:
    """Return the file and the anchor behind an internal link."""
    address, anchor = urldefrag(link)
    path = unquote(urlsplit(address).path)
    base = site if path.startswith("/") else page.parent
    found = (base / path.lstrip("/")).resolve() if path else page
    return (found / "index.html" if found.is_dir() else found), unquote(anchor)


def test_docs_links_images_and_anchors_lead_somewhere(site: Path, built: dict[Path, Links]):
    broken = []
    for page, found in built.items():
        for link in [*found.links, *found.loads]:
            if urlsplit(link).scheme in {"http", "https", "mailto", "data"}:
                continue
            file, anchor = target_of(page, link, site)
            if not file.is_file() or (anchor and file in built and anchor not in built[file].anchors):
                broken.append(f"{page.relative_to(site)}: {link}")
    assert broken == []


def test_docs_external_links_are_https_and_whole(built: dict[Path, Links]):
    external = {link for found in built.values() for link in found.links if urlsplit(link).scheme}
    assert len(external) >= 3
    assert [link for link in external if not re.fullmatch(r"https://[\w.-]+\.[a-z]{2,}(/\S*)?", link)] == []


def test_docs_load_nothing_from_other_hosts(site: Path, built: dict[Path, Links]):
    loaded = [link for found in built.values() for link in found.loads]
    assert loaded
    assert [link for link in loaded if urlsplit(link).netloc] == []
    styles = "".join(file.read_text(encoding="utf-8") for file in site.rglob("*.css"))
    assert re.findall(r"""(?:url\(|@import)\s*["']?(?:https?:)?//[^)"']*""", styles) == []


def test_docs_images_have_a_text(built: dict[Path, Links]):
    content = [image for found in built.values() for image in found.images_without_text]
    assert [image for image in content if not image.endswith("mark.svg")] == []


def test_docs_page_of_commands_has_every_command_and_option(site: Path):
    text = (site / "reference" / "commands" / "index.html").read_text(encoding="utf-8")
    sections = dict(re.findall(r'<h[23] id="([\w-]+)">(.*?)(?=<h[23] id=|</article>)', text, re.DOTALL))
    assert set(sections) == {path.replace(" ", "-") for path, _ in every_command()}
    missing = [
        f"{path} {name}"
        for path, name in every_option()
        if not re.search(rf"<code[^>]*>{name}\b", sections[path.replace(" ", "-")])
    ]
    assert missing == []


def test_docs_python_reference_has_every_public_name(built: dict[Path, Links]):
    anchors = set().union(
        *(found.anchors for page, found in built.items() if page.parent.parent.name == "reference")
    )
    assert [name for name in nncompare.__all__ if f"nncompare.{name}" not in anchors] == []
    names = [f"nncompare.plugin.{name}" for name in nncompare.plugin.__all__]
    assert [name for name in names if not {name, f"{name}-value"} & anchors] == []
    named = {"frameworks.keras.KerasPlugin", "frameworks.sklearn.SklearnPlugin", "data.download.fetch"}
    assert [name for name in named if f"nncompare.{name}" not in anchors] == []


def test_docs_built_pages_show_no_markup_of_docstrings(site: Path):
    left = r":(?:class|func|meth|mod|attr):`|\{ #|--8&lt;--|<!-- generated|\| ---"
    found = [
        page.parent.name for page in site.rglob("*.html") if re.search(left, page.read_text(encoding="utf-8"))
    ]
    assert found == []


@pytest.mark.skipif(shutil.which("chromium") is None, reason="there is no program called chromium on the PATH")
@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("colours", ["light", "dark"])
def test_docs_in_a_browser_ask_no_other_host_and_fit_the_screen(site: Path, width: int, colours: str):
    from playwright.sync_api import sync_playwright

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_arguments: object) -> None:
            pass

    with (
        ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site))) as server,
        sync_playwright() as playwright,
    ):
        threading.Thread(target=server.serve_forever, daemon=True).start()
        home = f"http://127.0.0.1:{server.server_port}/"
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(color_scheme=colours, viewport={"width": width, "height": 800})
        asked: list[str] = []
        problems: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: problems.append(str(error)))
        wide = []
        for file in sorted(site.rglob("index.html")):
            address = file.parent.relative_to(site).as_posix()
            page.goto(f"{home}{address}/" if address != "." else home)
            if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                wide.append(address)
        browser.close()
        server.shutdown()
    assert [url for url in asked if not url.startswith((home, "data:", "blob:"))] == []
    assert (problems, wide) == ([], [])

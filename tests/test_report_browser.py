"""The HTML report in Chromium: no request, no violation, readable on a phone, accessible in both themes."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from nncompare.report import render_html, results_in
from nncompare.results import Results

from . import report_fixtures as fixtures
from .report_default_run import default_run
from .test_report_html import HOSTILE, poison, small

SINGLE = fixtures.single_verdict()
CHROMIUM = shutil.which("chromium")
VARIANTS = {**fixtures.VARIANTS, "default_run": default_run}
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no program called chromium on the PATH"),
]
OPEN_ALL = "document.querySelectorAll('details').forEach(element => { element.open = true; })"
SMALLEST_TEXT = """Math.min(...[...document.querySelectorAll('svg text')].map(text => {
    const matrix = text.getScreenCTM();
    return parseFloat(getComputedStyle(text).fontSize) * Math.min(Math.abs(matrix.a), Math.abs(matrix.d));
}))"""
OUTSIDE = """[...document.querySelectorAll('svg[role=img] text')].filter(text => {
    const box = text.getBoundingClientRect();
    return box.width > 0 && (box.left < 0 || box.right > innerWidth);
}).map(text => text.textContent)"""

NUMBERED = """document.querySelectorAll("a, button, summary, input, [tabindex]").forEach((element, k) => {
    element.dataset.k = k; })"""

# One radio button of a group is in the order of Tab, the arrow keys reach the others.
REACHABLE = """[...document.querySelectorAll("[data-k]")].filter(element =>
    !element.matches("input:not(:checked)") && element.checkVisibility()).map(element => element.dataset.k)"""

# An element inside a box that scrolls sideways may end outside the page, its box may not.
BEYOND = """[...document.querySelectorAll('body *')].filter(element =>
    !element.matches('.scroll *, details *, .unseen, .skip') &&
        element.getBoundingClientRect().right > innerWidth + 0.5
).map(element => element.outerHTML.slice(0, 80))"""
CUT = """[...document.querySelectorAll('#provenance .scroll, #health .scroll')].filter(
    box => box.scrollWidth > box.clientWidth
).map(box => box.textContent.trim().slice(0, 80))"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("reports")
    written = {}
    for name, build in VARIANTS.items():
        written[name] = folder / f"{name}.html"
        written[name].write_text(render_html(build()), "utf-8")
    return written


def visit(browser: Browser, path: Path, **options: Any) -> tuple[Page, list[str], list[str]]:
    """Open the page and return it with its requests (but the page itself) and its complaints."""
    page = browser.new_context(**options).new_page()
    requests: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: complaints.append(dialog.message))
    page.goto(path.as_uri())
    assert requests.pop(0) == path.as_uri()
    return page, requests, complaints


def test_browser_loads_nothing_and_reports_no_violation_after_every_click(
    browser: Browser, pages: dict[str, Path]
) -> None:
    page, requests, complaints = visit(browser, pages["full"])
    page.evaluate(OPEN_ALL)
    buttons = page.locator("th button")
    assert buttons.count() > 20
    for index in range(buttons.count()):
        buttons.nth(index).click()
    for link in page.locator("nav a").all():
        link.click()
    for summary in page.locator("summary").all():
        summary.click()
    for radio in page.locator("input[type=radio]").all():
        radio.check()
        page.locator("#cost svg[tabindex]:visible").press("End")
    for chart in page.locator("svg[tabindex]:visible").all():
        chart.hover(force=True)
        chart.press("ArrowRight")
    for button in page.locator("button.save").all():
        with page.expect_download():
            button.click()
    assert [url for url in requests if "#" not in url and not url.startswith("blob:")] == []
    assert complaints == []


def test_browser_saves_results_that_render_to_the_same_page(
    browser: Browser, pages: dict[str, Path], tmp_path: Path
) -> None:
    for variant in ("default_run", "full", "texts", "empty"):
        page, _, complaints = visit(browser, pages[variant])
        with page.expect_download() as download:
            page.get_by_role("button", name="Download results.json").click()
        assert download.value.suggested_filename == "results.json"
        download.value.save_as(tmp_path / "results.json")
        saved = Results.from_json((tmp_path / "results.json").read_text("utf-8"))
        assert saved == results_in(pages[variant].read_text("utf-8"))
        assert render_html(saved) == pages[variant].read_text("utf-8")
        assert complaints == []


def test_browser_saves_names_that_are_whole_numbers_in_their_order(browser: Browser, tmp_path: Path) -> None:
    """JavaScript puts such names first, and a column that equals one before it must not be read too early."""
    study = fixtures.study("cnn", "d", ["a", "b"], n_trials=4)
    odd = {"7": 1, "0": 1, "3": 0.5, "pixel": 1, "__proto__": 2}
    trials = [trial.model_copy(update={"params": odd | {"3": trial.number}}) for trial in study.trials]
    study = study.model_copy(update={"trials": trials, "best_params": odd})
    results = fixtures.results([fixtures.dataset("d", ["a", "b"], SINGLE)], [study])
    path = tmp_path / "report.html"
    path.write_text(render_html(results), "utf-8")
    page, _, complaints = visit(browser, path)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download results.json").click()
    download.value.save_as(tmp_path / "results.json")
    saved = Results.from_json((tmp_path / "results.json").read_text("utf-8"))
    assert saved.to_json() == results_in(path.read_text("utf-8")).to_json()
    assert list(saved.studies[0].best_params) == list(odd)
    assert complaints == []


def test_browser_shows_the_numbers_of_a_mark_to_the_mouse_and_to_the_keyboard(
    browser: Browser, pages: dict[str, Path]
) -> None:
    page, _, _ = visit(browser, pages["four_studies"])
    chart = page.locator("#cost .p0 svg[role=img]")
    chart.focus()
    page.keyboard.press("Home")
    said = [page.locator("[role=status]").inner_text()]
    for _ in range(2):
        page.keyboard.press("ArrowRight")
        said.append(page.locator("[role=status]").inner_text())
    assert [text.partition(",")[0] for text in said] == ["Model mlp", "Model cnn", "Model lstm"]
    assert "Test accuracy 0.9570 (95 % CI 0.9510 to 0.9630)" in said[1]
    assert said[2].endswith("3 of 3")
    assert page.locator(".tip").is_visible()
    page.keyboard.press("Escape")
    assert not page.locator(".tip").is_visible()
    page.locator("#search .figures svg[role=img] use[data-r]").first.hover(force=True)
    assert "Trial " in page.locator(".tip").inner_text()
    assert "learning_rate" in page.locator(".tip").inner_text()


def test_browser_gives_every_mark_the_row_with_its_number(browser: Browser, pages: dict[str, Path]) -> None:
    page, _, _ = visit(browser, pages["default_run"])
    places = page.evaluate(
        """[...document.querySelectorAll("#budget svg[role=img], #search .beside > svg:first-child")].map(svg =>
            [svg.querySelector("title").textContent, marksOf(svg).map(mark => [mark.y, cellsOf(svg, mark)])])"""
    )
    assert len(places) > 5
    for title, marks in places:
        column = "Accuracy" if "accuracy" in title else "Log loss"
        values = [(y, float(dict(cells)[column])) for y, cells in marks]
        ordered = [value for _, value in sorted(values)]
        steps = [a - b for a, b in pairwise(ordered)]
        assert max(steps, default=0) > -0.02, title  # the higher a mark, the higher its value, to half a pixel


def test_browser_reaches_every_control_by_tab_alone(browser: Browser, pages: dict[str, Path]) -> None:
    page, _, _ = visit(browser, pages["default_run"])
    page.evaluate(OPEN_ALL)
    page.evaluate(NUMBERED)
    wanted = set(page.evaluate(REACHABLE))
    assert len(wanted) > 150
    reached = set()
    for _ in range(len(wanted) + 20):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.dataset.k ?? document.activeElement.tagName"))
    assert wanted - reached == set()


def test_browser_without_javascript_chooses_a_cost(browser: Browser, pages: dict[str, Path]) -> None:
    page, _, _ = visit(browser, pages["default_run"], java_script_enabled=False)
    assert page.locator("#cost figure:visible").count() == 1
    page.locator("#cost input:checked").press("ArrowRight")
    assert page.locator("#cost figure:visible svg title").text_content() == (
        "Test accuracy against latency of one sample, ms on mnist1d"
    )
    page.get_by_label("size").check()
    assert page.locator("#cost figure:visible figcaption").inner_text().startswith("Size: ")


def test_browser_sorts_by_keyboard_and_says_so(browser: Browser, pages: dict[str, Path]) -> None:
    page, _, _ = visit(browser, pages["full"])
    table = page.locator("#leaderboard table").first
    button = table.get_by_role("button", name="Accuracy")
    names = table.locator("tbody th")
    assert names.first.inner_text().startswith("cnn")
    button.focus()
    page.keyboard.press("Enter")
    assert names.first.inner_text().startswith("majority")
    assert table.locator("[aria-sort]").get_attribute("aria-sort") == "ascending"
    table.get_by_role("button", name="Model").press("Space")
    assert names.first.inner_text().startswith("mlp")
    assert table.locator("[aria-sort]").count() == 1
    table.get_by_role("button", name="Latency").press("Enter")
    assert names.first.inner_text().startswith("lstm")
    assert names.last.inner_text().startswith(("majority", "logistic"))


@pytest.mark.parametrize("variant", VARIANTS)
def test_browser_on_a_phone_neither_scrolls_across_nor_shrinks_text(
    browser: Browser, pages: dict[str, Path], variant: str
) -> None:
    page, _, _ = visit(browser, pages[variant], viewport={"width": 320, "height": 640})
    page.evaluate(OPEN_ALL)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    if page.locator("svg text").count():
        assert page.evaluate(SMALLEST_TEXT) >= 11
        assert page.evaluate(OUTSIDE) == []


@pytest.mark.parametrize("width", [1280, 320])
@pytest.mark.parametrize("variant", ["default_run", "texts", "many_classes", "gaps"])
def test_browser_lets_nothing_run_out_of_the_right_edge(
    browser: Browser, pages: dict[str, Path], variant: str, width: int
) -> None:
    page, _, _ = visit(browser, pages[variant], viewport={"width": width, "height": 900})
    page.evaluate(OPEN_ALL)
    assert page.evaluate(BEYOND) == []
    if width == 1280:
        assert page.evaluate(CUT) == []


def test_browser_on_a_phone_names_the_data_set_of_every_score(browser: Browser, pages: dict[str, Path]) -> None:
    page, _, _ = visit(browser, pages["across"], viewport={"width": 320, "height": 640})
    cell = page.locator("#across tbody tr").first.locator("td").nth(3)
    label = cell.evaluate("cell => getComputedStyle(cell, '::before').content")
    assert label.replace('" "', "") == '"songs-of-forty-birds-in-the-morning:"'
    assert page.locator("#across thead").is_hidden()
    box = page.locator("#across .scroll")
    assert box.evaluate("box => box.scrollWidth <= box.clientWidth")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    "variant", ["full", "many_classes", "one_model", "all_failed", "texts", "gaps", "default_run"]
)
def test_browser_finds_no_accessibility_violation(
    browser: Browser, pages: dict[str, Path], variant: str, scheme: str
) -> None:
    page, _, _ = visit(browser, pages[variant], color_scheme=scheme, bypass_csp=True)
    page.evaluate(OPEN_ALL)
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("variant", ["full", "empty"])
def test_browser_without_javascript_shows_everything(
    browser: Browser, pages: dict[str, Path], variant: str
) -> None:
    page, requests, complaints = visit(browser, pages[variant], java_script_enabled=False)
    assert page.locator("th button").count() == 0
    page.locator("#glossary summary").click()
    assert page.locator("#glossary dd").first.is_visible()
    assert page.locator("h2:visible").count() == (14 if variant == "full" else 13)
    assert requests == complaints == []


def test_browser_takes_every_header_cell_for_the_header_of_its_row_or_column(
    browser: Browser, pages: dict[str, Path]
) -> None:
    page, _, _ = visit(browser, pages["default_run"])
    page.evaluate(OPEN_ALL)
    tree = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")
    roles = Counter(node["role"]["value"] for node in tree["nodes"])
    assert roles["columnheader"] == page.locator("thead th").count() > 100
    assert roles["rowheader"] == page.locator("tbody th").count() > 100
    tables = [node for node in tree["nodes"] if node["role"]["value"] == "table"]
    assert all(node["name"]["value"] for node in tables)


@pytest.mark.parametrize("paper", ["A4", "Letter"])
@pytest.mark.parametrize("variant", ["full", "default_run"])
def test_browser_prints_at_most_12_pages(
    browser: Browser, pages: dict[str, Path], variant: str, paper: str
) -> None:
    page, _, _ = visit(browser, pages[variant])
    assert 1 <= len(re.findall(rb"/Type\s*/Page\b", page.pdf(format=paper))) <= 12


def test_browser_runs_nothing_from_hostile_names(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text(render_html(small()), "utf-8")
    page, requests, complaints = visit(browser, path)
    elements = page.evaluate("document.querySelectorAll('*').length")
    for text in HOSTILE:
        path.write_text(render_html(Results.model_validate(poison(small(), text))), "utf-8")
        page.reload(wait_until="domcontentloaded")
        assert page.evaluate("document.querySelectorAll('*').length") == elements, text
        assert complaints == [], text
    assert set(requests) == {path.as_uri()}

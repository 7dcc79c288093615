"""Make the pictures of the documentation from the sample report: ``python docs/pictures.py [report.html]``.

It needs Playwright and Debian's chromium (extra ``test``), and Pillow, which reduces each picture to 256 colours.
"""

from __future__ import annotations

import io
import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

FOLDER = Path(__file__).parent / "images"
SAMPLE = Path(__file__).parents[1] / "reports" / "sample" / "report.html"
COLOURS = 256
MOST_BYTES = 250_000
PICTURES = {
    "report": {"viewport": {"width": 1280, "height": 900}},
    "report-dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
    "report-phone": {"viewport": {"width": 360, "height": 740}, "device_scale_factor": 2},
}
SECTIONS = {"report-cost": "#cost", "report-search": "#search", "report-budget": "#budget"}


def save(name: str, png: bytes) -> None:
    """Write a picture with few colours, cut to three times its width at most."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    picture = picture.crop((0, 0, picture.width, min(picture.height, 3 * picture.width)))
    path = FOLDER / f"{name}.png"
    picture.quantize(COLOURS, Image.Quantize.MAXCOVERAGE).save(path, optimize=True)
    weight = path.stat().st_size
    print(f"{path}: {picture.width} x {picture.height}, {weight / 1e3:.0f} kB")
    if weight > MOST_BYTES:
        raise SystemExit(f"{path} is heavier than {MOST_BYTES / 1e3:.0f} kB.")


def printed(page: Page) -> bytes:
    """Return the first page as it prints."""
    page.set_viewport_size({"width": 794, "height": 1123})  # A4 at 96 dots per inch
    page.emulate_media(media="print")
    page.evaluate("scrollTo(0, 0)")
    return page.screenshot()


def main(report: Path) -> None:
    """Make all pictures."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for name, options in PICTURES.items():
            page = browser.new_context(**options).new_page()  # type: ignore[arg-type]
            page.goto(report.resolve().as_uri())
            save(name, page.screenshot())
        page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
        page.goto(report.resolve().as_uri())
        for name, selector in SECTIONS.items():
            save(name, page.locator(selector).screenshot())
        save("report-print", printed(page))
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else SAMPLE)

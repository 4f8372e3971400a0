"""Pictures of the studio's page for docs/studio.md, of the sample pictures alone.

    pip install '.[studio,video]' playwright
    python -m tools.screenshots docs/studio

A studio of its own paints in a temporary folder; Debian's Chromium shows the page
(`apt-get install chromium`).
"""

from __future__ import annotations

import argparse
import contextlib
import io
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

# Milliseconds; painting may take minutes.
PATIENCE = 600_000
# Of the WebP files.
QUALITY = 78
# Long side, in pixels, of what is painted: a position of the page's slider.
SIZE = "4"


@contextlib.contextmanager
def studio() -> Iterator[str]:
    """The address of a studio that lives as long as the context."""
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(
            [sys.executable, "-c", "from tf_style import cli; cli.studio()", "--nobrowser",
             f"--folder={folder}", "--port=0"], stdout=subprocess.PIPE, text=True)
        try:
            yield process.stdout.readline().strip()
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()


def opened(browser: Browser, address: str, width: int, height: int, scheme: str) -> Page:
    """The page in a window of that size, with a photograph and a painting chosen."""
    page = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme).new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(address)
    page.locator("body[data-ready]").wait_for()
    for part, ref in (("contents", "sample:harbor"), ("styles", "sample:waves")):
        page.locator(f"#{part} label:has([value='{ref}'])").click()
    expect(page.locator("#facts")).to_contain_text("A quick draft")
    return page


def save(page: Page, path: Path) -> None:
    """Save what the window shows as WebP."""
    page.mouse.move(0, 0)
    page.locator("#make").evaluate("panel => panel.scrollTo(0, 0)")
    expect(page.locator("#toast")).to_have_css("opacity", "0")
    with Image.open(io.BytesIO(page.screenshot())) as picture:
        picture.save(path, quality=QUALITY, method=6)
    print(path, f"{path.stat().st_size // 1000} kB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output", type=Path, help="folder for the pictures")
    output = parser.parse_args().output
    output.mkdir(parents=True, exist_ok=True)
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    expect.set_options(timeout=PATIENCE)
    with studio() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])

        page = opened(browser, address, 1280, 800, "light")
        page.locator("#option-size").fill(SIZE)
        page.locator("#paint").click()
        # The last of its sizes, in which there is something to see.
        expect(page.locator("#after")).to_have_js_property("naturalWidth", 512)
        save(page, output / "painting.webp")
        expect(page.locator("#download")).to_be_visible()
        for name in ("Before and after", "How it was made"):
            page.get_by_role("button", name=name).click()
        save(page, output / "result.webp")

        page = opened(browser, address, 1280, 800, "dark")
        page.get_by_role("button", name="Protect a part").click()
        expect(page.locator("#brushes")).to_be_visible()
        box = page.locator("#brushwork").bounding_box()
        for number, (across, down) in enumerate(((0.35, 0.6), (0.35, 0.75), (0.45, 0.8))):
            page.mouse.move(box["x"] + across * box["width"], box["y"] + down * box["height"])
            if not number:
                page.mouse.down()
        page.mouse.up()
        save(page, output / "brush.webp")

        page = opened(browser, address, 390, 780, "dark")
        save(page, output / "phone.webp")
        browser.close()


if __name__ == "__main__":
    main()

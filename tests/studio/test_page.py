"""The studio's page in a real browser, Chromium, against a real server."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import tf_style
from tests.chromium import launched, sync_api
from tf_style import cli
from tf_style.image.picture import read_note, read_picture
from tf_style.image.samples import sample_path

for package in ("starlette", "uvicorn", "websockets"):
    pytest.importorskip(package, reason="needs pip install 'tf_style[studio]'")

expect = sync_api.expect

pytestmark = [pytest.mark.slow, pytest.mark.alone]

# A busy machine may take its time; a quiet one does not wait.
PATIENCE = 120_000
PAGE = Path(tf_style.__file__).parent / "studio" / "page"
# What takes little time to paint: a network with its own weights, a few steps.
QUICK = {"size": 128, "network": "compact", "steps": 4, "scales": 1}
LONG = {**QUICK, "steps": 100_000, "tolerance": 0}
HARBOR, WAVES, INK = "sample:harbor", "sample:waves", "sample:ink"


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """Where a studio is, with the token. It has a library of two paintings."""
    home = tmp_path_factory.mktemp("studio")
    with tf_style.Library(
            home / "library.db", tf_style.Settings(network="compact")) as library:
        library.add(map(sample_path, ("ink", "stained_glass")))
    hidden = ("TF_STYLE_WEIGHTS", "TF_STYLE_WEIGHTS_VGG19")
    process = subprocess.Popen(
        [sys.executable, "-c", "import sys; from tf_style import cli; cli.studio(sys.argv[1:])",
         f"--folder={home / 'results'}", "--nobrowser", "--port=0",
         f"--library={home / 'library.db'}"],
        stdout=subprocess.PIPE, text=True,
        env={**{name: value for name, value in os.environ.items() if name not in hidden},
             "PYTHONPATH": str(Path(tf_style.__file__).parents[1]),
             "XDG_DATA_HOME": str(home / "data"), "XDG_CACHE_HOME": str(home / "cache"),
             "LOCALAPPDATA": str(home / "data")})
    try:
        yield process.stdout.readline().strip()
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        browser = launched(playwright, "--use-fake-device-for-media-stream",
                           "--use-fake-ui-for-media-stream")
        yield browser
        browser.close()


@pytest.fixture
def opened(address, browser):
    """Opens a browser at the page, with what was chosen there before; sees that all goes well."""
    contexts, wrong = [], []

    def opened(content=None, styles=(), options=QUICK, **how):
        chosen = {"content": content, "options": options, "several": len(styles) > 1, "styles": [
            {"ref": ref, "name": ref, "share": 1, "mask": None} for ref in styles]}
        kept = [{"name": "tf_style_studio", "value": json.dumps(chosen)}]
        context = browser.new_context(permissions=["clipboard-read", "clipboard-write"], **{
            "viewport": {"width": 1280, "height": 800}, "storage_state": {
                "cookies": [], "origins": [{"origin": address.split("/?")[0],
                                            "localStorage": kept}]}, **how})
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        context.on("weberror", lambda error: wrong.append(str(error.error)))
        page = context.new_page()
        # A broken rule of the page's own content security policy is told there.
        page.on("console", lambda message: wrong.append(message.text)
                if "Content Security Policy" in message.text else None)
        page.goto(address)
        ready(page)
        return page

    expect.set_options(timeout=PATIENCE)
    yield opened
    for context in contexts:
        page = context.pages[0]
        page.evaluate("""async () => {
            for (const job of await (await fetch("/api/jobs")).json())
                await fetch(`/api/jobs/${job.id}/cancel`, {method: "POST"});
        }""")
        context.close()
    assert not wrong


def ready(page):
    expect(page.locator("body")).to_have_attribute("data-ready", "true")


def tile(page, part, ref):
    return page.locator(f"#{part} label:has(input[value='{ref}'])")


def tool(page, name):
    return page.locator("#tools").get_by_role("button", name=name, exact=True)


def results(page):
    return page.locator("#results li")


def shown_job(page):
    """The job on the stage, as the server tells it."""
    return page.evaluate("""async () => {
        const {shown} = JSON.parse(localStorage.tf_style_studio);
        return (await fetch(`/api/jobs/${shown}`)).json();
    }""")


@contextlib.contextmanager
def asked(page):
    """Gives, afterwards, the request that what is done here leads to."""
    def is_job(response):
        return response.request.method == "POST" and response.url.endswith("/api/jobs")

    with page.expect_response(is_job, timeout=PATIENCE) as response:
        yield lambda: response.value.json()["request"]


def expect_finished(page):
    expect(page.locator("#facts")).to_contain_text(re.compile(r"^\d+ × \d+ · .*(?<!Stopped)$"))


def expect_draft(page):
    expect(page.locator("#facts")).to_have_text("A quick draft. Paint makes the full picture.")


def expect_painting(page):
    expect(page.locator("#facts")).to_contain_text(re.compile(r"^Step \d+"))


def paint(page):
    page.get_by_role("button", name="Paint", exact=True).click()


def downloaded(page, kind, folder):
    page.locator("#download").click()
    with page.expect_download() as download:
        page.get_by_role("link", name=kind).click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def test_a_photograph_becomes_the_picture_that_the_command_makes(
        opened, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Image.fromarray(np.random.default_rng(1).integers(
        0, 255, (6, 8, 3), np.uint8)).resize((160, 120)).save("mine.png")
    page = opened(options={})
    expect(page.get_by_role("heading", name="Turn a photograph")).to_be_visible()
    # A preset stays chosen, and can be left.
    page.get_by_text("More options").click()
    presets, size = page.get_by_label("Start from"), page.locator("[data-option=size] output")
    presets.select_option("poster")
    expect(size).to_have_text("4096 px")
    page.reload()
    ready(page)
    page.get_by_text("More options").click()
    expect(presets).to_have_value("poster")
    page.get_by_label("Scales", exact=True).fill("1")
    page.get_by_label("Scales", exact=True).blur()
    expect(presets).to_have_value("Your own")
    presets.select_option("The defaults")
    expect(size).to_have_text("512 px")
    page.locator("#add-content").set_input_files("mine.png")
    tile(page, "styles", WAVES).click()
    expect_draft(page)
    assert shown_job(page)["request"]["options"] == {"model": WAVES}
    page.get_by_label("Network", exact=True).select_option("compact")
    page.get_by_label("Scales", exact=True).fill("1")
    page.get_by_label("Size", exact=True).fill("0")
    # The error of the package stands in the field that it names.
    page.get_by_label("Steps", exact=True).fill("many")
    paint(page)
    steps = page.get_by_label("Steps", exact=True)
    expect(steps).to_have_attribute("aria-invalid", "true")
    expect(page.locator("[data-option=steps] .field-error")).to_contain_text("expected")
    expect(steps).to_be_focused()
    steps.fill("4")
    paint(page)
    expect_finished(page)
    expect(page.locator("[aria-invalid]")).to_have_count(0)
    expect(results(page)).to_have_count(1)

    png = downloaded(page, "PNG", tmp_path)
    tool(page, "How it was made").click()
    expect(page.locator(".curve")).to_be_visible()
    page.get_by_role("button", name="Copy as command").click()
    expect(page.locator("#toast")).to_have_text("Copied.")
    command = shlex.split(page.evaluate("navigator.clipboard.readText()"))
    page.get_by_role("button", name="Copy as Python").click()
    with pytest.raises(SystemExit) as done:
        cli.main([each for each in command[1:] if not each.startswith("--output")]
                 + ["--output=by_command.png"])
    assert not done.value.code
    assert np.array_equal(read_picture(png), read_picture("by_command.png"))
    kept, made = (json.loads(read_note(each))["settings"] for each in (png, "by_command.png"))
    assert kept["steps"] == [4] and kept["network"] == made["network"] == "compact"
    for kind in ("JPEG", "TIFF"):
        assert read_picture(downloaded(page, kind, tmp_path)).shape == (96, 128, 3)


def test_an_answer_that_comes_late_hides_no_error(opened):
    page, held = opened(HARBOR, [], {}), []
    page.route("**/api/jobs", lambda route: route.continue_() if held else held.append(route))
    with page.expect_request("**/api/jobs"):
        tile(page, "styles", WAVES).click()
    page.get_by_text("More options").click()
    page.get_by_label("Steps", exact=True).fill("many")
    paint(page)
    expect(page.locator(".field-error")).to_be_visible()
    with asked(page) as request:
        held[0].continue_()
    assert request()["draft"]
    page.evaluate("fetch('/api/form').then((form) => form.json())")
    expect(page.locator(".field-error")).to_be_visible()


def test_a_painting_is_dropped_and_a_photograph_pasted(opened):
    page = opened()
    page.evaluate("""async () => {
        const canvas = Object.assign(document.createElement("canvas"), {width: 90, height: 60});
        canvas.getContext("2d").fillRect(20, 20, 30, 30);
        const blob = await new Promise((done) => canvas.toBlob(done));
        const carried = new DataTransfer();
        carried.items.add(new File([blob], "pasted.png", {type: "image/png"}));
        dispatchEvent(new ClipboardEvent("paste", {clipboardData: carried, cancelable: true}));
        dispatchEvent(new DragEvent("dragenter", {dataTransfer: carried}));
    }""")
    expect(page.locator("#contents input[value^=picture]")).to_be_checked()
    expect(page.get_by_text("Drop here as the painting")).to_be_visible()
    page.evaluate("""() => {
        const carried = new DataTransfer();
        const text = atob("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
            + "YPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==");
        const bytes = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
        carried.items.add(new File(["no picture"], "broken.png", {type: "image/png"}));
        document.querySelector("[data-drop=style]").dispatchEvent(
            new DragEvent("drop", {dataTransfer: carried, bubbles: true, cancelable: true}));
    }""")
    expect(page.locator("#style-part .field-error")).to_contain_text("broken.png")


def test_masks_are_brushed_with_soft_edges(opened):
    page = opened(HARBOR, [WAVES, INK])
    page.locator("#chosen").get_by_role("button", name="Brush where Waves goes").click()
    expect(page.locator("#brushes")).to_be_visible()
    box = page.locator("#brushwork").bounding_box()
    page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + box["height"] / 2, steps=4)
    page.mouse.up()
    with asked(page) as request:
        page.get_by_role("button", name="Done").click()
    expect(page.get_by_role("button", name="Waves goes where you brushed")).to_be_visible()
    masks = page.evaluate("""(refs) => Promise.all(refs.map(async (ref) => {
        const image = new Image();
        image.src = `/api/pictures/${encodeURIComponent(ref)}?side=100`;
        await image.decode();
        const context = new OffscreenCanvas(100, 75).getContext("2d");
        context.drawImage(image, 0, 0, 100, 75);
        return [...context.getImageData(40, 0, 1, 75).data].filter((_, index) => index % 4 === 0);
    }))""", request()["content_masks"])
    waves, ink = np.array(masks)
    assert waves[37] > 250 and waves[5] < 5 and len(set(waves)) > 5
    # Ink takes the rest.
    assert np.allclose(waves + ink, 255, atol=6)

    # By keys alone, and undone.
    protect = page.get_by_role("button", name="Protect a part")
    protect.press("Enter")
    expect(page.locator("#brushwork")).to_be_focused()
    for key in ("ArrowRight", "ArrowDown", "Space"):
        page.keyboard.press(key)
    page.get_by_role("button", name="Undo").press("Enter")
    page.get_by_role("button", name="Done").press("Enter")
    expect(protect).to_be_focused()
    protect.press("Enter")
    expect(page.locator("#brushwork")).to_be_focused()
    page.keyboard.press("Space")
    with asked(page) as request:
        page.get_by_role("button", name="Done").press("Enter")
    assert request()["protect"].startswith("picture:")
    expect(page.get_by_role("button", name="A part is protected")).to_be_visible()


def test_styles_are_blended_by_sliders_and_a_texture_needs_no_photograph(opened):
    page = opened()
    page.get_by_role("radio", name="No photograph").check(force=True)
    page.get_by_label("Blend several").check()
    for ref in (WAVES, INK):
        tile(page, "styles", ref).click()
    page.get_by_role("slider", name="Share of Ink").fill("0.25")
    page.get_by_label("Strength", exact=True).fill("0.6")
    paint(page)
    expect_finished(page)
    request = shown_job(page)["request"]
    assert request["content"] is None and request["styles"] == [WAVES, INK]
    assert request["options"] == {**QUICK, "style_blend": [1, 0.25], "strength": 0.6}
    expect(page.locator("#title")).to_have_text("A texture of Waves + Ink")


def test_paintings_of_the_library_are_found_by_name_and_by_what_suits(opened):
    page = opened(HARBOR)
    page.get_by_role("button", name="Browse your 2 paintings").click()
    tiles = page.locator("#library-tiles .tile")
    expect(tiles).to_have_count(2)
    page.get_by_label("Search by name").fill("glass")
    expect(tiles).to_have_count(1)
    page.get_by_label("Order").select_option("Best for this photograph")
    expect(tiles).to_have_count(2)
    with asked(page) as request:
        tiles.filter(has=page.get_by_label("stained_glass")).click()
    page.get_by_role("button", name="Close").click()
    ref, = request()["styles"]
    assert ref.startswith("library:")
    expect(page.locator(f"#styles input[value='{ref}']")).to_be_checked()
    expect(page.locator("#chosen")).to_have_text("stained_glass")
    # Its name outlives the choice.
    paint(page)
    title = page.locator("#results li", has_text="Harbour as stained_glass")
    expect(title).to_have_count(1)
    tile(page, "styles", WAVES).click()
    expect(page.locator(f"#styles input[value='{ref}']")).to_have_count(0)
    expect(title).to_have_count(1)


def test_a_job_outlives_the_page_and_all_tabs_show_it(opened):
    page = opened(HARBOR, [INK], LONG)
    paint(page)
    expect_painting(page)
    job = shown_job(page)["id"]
    page.reload()
    ready(page)
    expect_painting(page)
    assert shown_job(page)["id"] == job
    other = page.context.new_page()
    other.goto(page.url)
    expect_painting(other)
    expect(other.locator("#after")).to_have_attribute("src", re.compile("^blob:"))
    tile(other, "styles", WAVES).click()
    expect(page.locator(f"#styles input[value='{WAVES}']")).to_be_checked()
    # A draft comes between two steps of the long job.
    expect_draft(page)
    results(page).first.locator(".result").click()
    expect_painting(page)

    tool(page, "Stop here").click()
    expect(page.locator("#facts")).to_contain_text("Stopped")
    expect(other.locator("#results .fact").first).to_contain_text("Stopped")
    tool(page, "Go on").click()
    expect_painting(page)
    tool(page, "Cancel").click()
    expect(page.locator(f"#results [data-job='{job}']")).to_have_count(0)
    expect(other.locator(f"#results [data-job='{job}']")).to_have_count(0)
    expect(page.locator("#facts")).not_to_contain_text("Step")


def test_history_shows_what_made_a_picture_and_begins_again_from_it(opened):
    page = opened(HARBOR, [INK], {**QUICK, "strength": 0.3})
    paint(page)
    expect_finished(page)
    count = results(page).count()
    tool(page, "Before and after").click()
    page.get_by_role("slider", name="How much of the photograph is seen").press("ArrowRight")
    expect(page.locator("#before")).to_be_visible()
    tool(page, "Full size, 1:1").click()
    expect(page.locator("#easel")).to_have_css("width", "128px")
    tool(page, "How it was made").click()
    expect(page.locator("#details")).to_contain_text(re.compile("Strength.*0.3"))
    with page.expect_response("**/api/jobs"):
        tile(page, "styles", WAVES).click()
    # The studio takes its time for a first look; meanwhile, somebody chooses a result.
    asked = []
    page.route("**/api/jobs", lambda route: asked.append(route))
    with page.expect_request("**/api/jobs"):
        page.get_by_label("Strength", exact=True).fill("0.9")
    results(page).first.locator(".result").click()
    with page.expect_response("**/api/jobs"):
        asked[0].continue_()
    page.unroute("**/api/jobs")
    page.wait_for_timeout(500)
    expect(results(page).first.locator(".result")).to_have_attribute("aria-current", "true")
    tool(page, "Again, with other settings").click()
    expect(page.locator(f"#styles input[value='{INK}']")).to_be_checked()
    expect(page.get_by_label("Strength", exact=True)).to_have_value("0.3")

    results(page).first.hover()
    results(page).first.get_by_role("button", name="Delete Harbour as Ink").click()
    page.locator("#confirm").get_by_role("button", name="Keep").click()
    expect(results(page)).to_have_count(count)
    results(page).first.get_by_role("button", name="Delete Harbour as Ink").press("Enter")
    page.locator("#confirm").get_by_role("button", name="Delete").click()
    expect(results(page)).to_have_count(count - 1)
    paint(page)
    expect_finished(page)
    page.get_by_role("button", name="Delete all").click()
    page.locator("#confirm").get_by_role("button", name="Delete all").click()
    expect(page.locator("#history")).to_be_hidden()


def test_all_is_done_by_the_keyboard(opened):
    page = opened()

    def go_to(target):
        for _ in range(80):
            if target.evaluate("node => node === document.activeElement"):
                return
            page.keyboard.press("Tab")
        raise AssertionError(f"Tab does not lead to {target}")

    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    go_to(page.locator("#contents input[type=radio]").first)
    page.keyboard.press("ArrowDown")
    expect(page.locator(f"#contents input[value='{HARBOR}']")).to_be_checked()
    go_to(page.locator("#styles input[type=radio]").first)
    page.keyboard.press("Space")
    go_to(page.get_by_label("Strength", exact=True))
    page.keyboard.press("End")
    expect(page.locator("[data-option=strength] output")).to_have_text("100 %")
    page.keyboard.press("Control+Enter")
    expect_finished(page)
    go_to(page.locator("#download"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="PNG")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="PNG")).to_be_hidden()
    expect(page.locator("#download")).to_be_focused()


def test_the_camera_is_painted_live(opened):
    page = opened(None, [WAVES])
    if not page.evaluate("fetch('/api/form').then((form) => form.json())")["camera"]:
        pytest.skip("this studio has no camera")
    # Off and on again while the browser still asks for leave.
    page.evaluate("""() => {
        const devices = navigator.mediaDevices, ask = devices.getUserMedia.bind(devices);
        window.streams = [];
        devices.getUserMedia = async (what) => {
            await new Promise((done) => setTimeout(done, 300));
            streams.push(await ask(what));
            return streams.at(-1);
        };
    }""")
    for mode in ("Camera", "Pictures and films", "Camera"):
        page.get_by_role("button", name=mode).click()
    expect(page.locator("body")).to_have_attribute("data-live", re.compile("[3-9]"))
    assert page.evaluate("streams.map((stream) => stream.getTracks()[0].readyState)") == [
        "ended", "live"]
    tile(page, "styles", INK).click()
    expect(page.locator("#after")).to_have_attribute("alt", "Live: Ink")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save this picture").click()
    with Image.open(download.value.path()) as picture:
        assert np.asarray(picture).std() > 5
    page.get_by_role("button", name="Use it as the photograph").click()
    expect(page.locator("#contents input[value^=picture]")).to_be_checked()
    # From another machine, without encryption.
    page.context.add_init_script(
        "for (const name of ['mediaDevices', 'clipboard'])"
        "    Object.defineProperty(navigator, name, {value: undefined})")
    page.reload()
    ready(page)
    expect(page.get_by_role("button", name="Camera", exact=True)).to_be_hidden()
    paint(page)
    expect_finished(page)
    tool(page, "How it was made").click()
    with page.expect_popup() as popup:
        page.get_by_role("button", name="Copy as command").click()
    expect(popup.value.locator("body")).to_contain_text("tf_style --content=")


def test_a_film_is_painted_by_a_network(opened, tmp_path):
    av = pytest.importorskip("av", reason="needs pip install 'tf_style[video]'")
    pytest.importorskip("cv2", reason="needs pip install 'tf_style[video]'")
    from tests.film.films import write

    page = opened(None, [INK], {"size": 128})
    page.locator("#add-content").set_input_files(write(tmp_path / "waving.mp4", 4))
    expect(page.locator("#contents input[value^=film]")).to_be_checked()
    page.get_by_label("Steadiness", exact=True).fill("0.5")
    paint(page)
    expect(page.locator("#film")).to_be_visible()
    expect(page.locator("#title")).to_have_text("waving as Ink")
    with av.open(str(downloaded(page, "MP4", tmp_path))) as film:
        assert len(list(film.decode(video=0))) == 4
    request = shown_job(page)["request"]
    assert request["options"] == {"size": 128, "model": INK, "steadiness": 0.5}
    # To another browser, the server says what was brought here.
    page.evaluate("localStorage.clear()")
    page.reload()
    ready(page)
    results(page).first.locator(".result").click()
    expect(page.locator("#title")).to_have_text("waving as Ink")
    # One that was gone on with since is another one to load.
    film = page.locator("#film").get_attribute("src")
    page.evaluate("""async () => {
        const {jobs, showStage} = await import("/page/stage.js");
        for (const job of jobs.values()) job.step += 1;
        showStage();
    }""")
    expect(page.locator("#film")).not_to_have_attribute("src", film)


def test_a_network_of_ones_own_paints_alone(opened, network):
    page = opened(HARBOR, [WAVES, INK], {"size": 96, "style_scale": 2})
    page.locator("#add-style").set_input_files(network)
    expect(page.get_by_label("my painting.keras", exact=True)).to_be_checked()
    expect(page.get_by_label("Blend several")).not_to_be_checked()
    for name in ("Size of the strokes", "Protect a part, such as a face", "More options"):
        expect(page.get_by_text(name, exact=True)).to_be_hidden()
    paint(page)
    expect_finished(page)
    expect(page.locator("#title")).to_have_text("Harbour as my painting")
    request = shown_job(page)["request"]
    reference = request["options"].pop("model")
    assert reference.startswith("network:") and request["options"] == {"size": 96}
    tool(page, "How it was made").click()
    expect(page.locator("#details dl")).to_contain_text("Modelmy painting")
    tile(page, "styles", INK).click()
    tool(page, "Again, with other settings").click()
    expect(tile(page, "styles", reference).locator("input")).to_be_checked()
    # A blend begins with the painting that is chosen next.
    page.get_by_label("Blend several").check()
    tile(page, "styles", INK).click()
    expect(tile(page, "styles", reference).locator("input")).not_to_be_checked()
    expect(tile(page, "styles", INK).locator("input")).to_be_checked()
    # One that is chosen among the options comes back there, and is no painting.
    page.get_by_text("More options").click()
    page.get_by_label("Model", exact=True).select_option("sample:all")
    paint(page)
    expect(page.locator("#title")).to_have_text("Harbour as All")
    expect_finished(page)
    tool(page, "Again, with other settings").click()
    expect(page.locator("#styles input:checked")).to_have_count(0)
    with asked(page) as request:
        paint(page)
    assert request()["options"] == {"size": 96, "model": "sample:all"}
    page.get_by_role("button", name="Camera", exact=True).click()
    expect(tile(page, "styles", reference).locator("input")).to_be_enabled()


def test_axe_finds_nothing_serious(opened):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright",
                              reason="needs pip install axe-playwright-python").Axe()

    def check():
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            assert not [(each["id"], [node["target"] for node in each["nodes"]])
                        for each in axe.run(page).response["violations"]
                        if each["impact"] in ("serious", "critical")]

    page = opened()
    check()
    tile(page, "contents", HARBOR).click()
    page.get_by_label("Blend several").check()
    for ref in (WAVES, INK):
        tile(page, "styles", ref).click()
    page.get_by_text("More options").click()
    page.get_by_label("Steps", exact=True).fill("many")
    paint(page)
    expect(page.locator(".field-error")).to_be_visible()
    check()
    page.get_by_label("Steps", exact=True).fill("4")
    paint(page)
    expect_finished(page)
    tool(page, "Before and after").click()
    tool(page, "How it was made").click()
    page.locator("#download").click()
    check()
    page.get_by_role("button", name="Protect a part").click()
    expect(page.locator("#brushes")).to_be_visible()
    check()


def test_it_fits_screens_of_all_widths(opened):
    page = opened(HARBOR, [WAVES], has_touch=True)
    paint(page)
    expect_finished(page)
    tool(page, "How it was made").click()
    page.get_by_text("More options").click()
    for width in (360, 1280, 3840):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        expect(page.get_by_role("button", name="Paint", exact=True)).to_be_in_viewport()
        box = page.locator("#easel").bounding_box()
        assert box["width"] > 0.3 * min(width, 900) and box["x"] >= 0


def test_texts_are_all_there():
    """Each text that the page asks for is in the file of texts."""
    texts = (PAGE / "texts.js").read_text(encoding="utf-8")
    known = set(re.findall(r"(?:^  |[\"}], )(\w+): [\"{]", texts, re.MULTILINE))
    used = (PAGE / "index.html").read_text(encoding="utf-8") + "".join(
        path.read_text(encoding="utf-8") for path in PAGE.glob("*.js") if path.name != "texts.js")
    asked = set(re.findall(r'data-(?:text|label)="(\w+)"|\bt\("(\w+)"', used))
    assert {a or b for a, b in asked} <= known

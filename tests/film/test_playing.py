"""Films as a browser plays them: Chromium, which has decoders of its own."""

from __future__ import annotations

from fractions import Fraction

import pytest

pytest.importorskip("av")

from tests.chromium import launched, sync_api
from tests.film.films import number_of, pattern, write
from tf_style.film.encode import Part, write_film
from tf_style.film.source import open_film

pytestmark = [pytest.mark.slow, pytest.mark.alone]

PAGE = "http://films.test/"
KINDS = {".mp4": "video/mp4", ".m4v": "video/mp4", ".webm": "video/webm"}
# Plays a film to its end, and tells what was to be seen and heard of it.
PLAY = """async () => {
    const film = document.querySelector("video");
    const told = (name) => new Promise((resolve, reject) => {
        film.addEventListener(name, resolve, { once: true });
        film.addEventListener("error", () => reject(new Error(film.error.message)));
    });
    const canvas = document.createElement("canvas");
    const context = canvas.getContext("2d");
    if (film.readyState < 2) await told("loadeddata");
    Object.assign(canvas, { width: film.videoWidth, height: film.videoHeight });
    context.drawImage(film, 0, 0);
    const first = context.getImageData(0, 0, canvas.width, canvas.height).data;
    const ended = told("ended");
    await film.play();
    await ended;
    context.drawImage(film, 0, 0);
    const last = context.getImageData(0, 0, canvas.width, canvas.height).data;
    const red = (data) => data.filter((_, index) => index % 4 === 0)
        .reduce((sum, value) => sum + value, 0) / (data.length / 4);
    return { width: canvas.width, height: canvas.height, length: film.duration,
             first: red(first), last: red(last), heard: film.webkitAudioDecodedByteCount };
}"""


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        browser = launched(playwright, "--autoplay-policy=no-user-gesture-required")
        yield browser
        browser.close()


@pytest.mark.parametrize("ending", KINDS)
def test_a_film_plays_with_its_sound(browser, tmp_path, ending):
    count = 15
    source = write(tmp_path / "source.mp4", count, size=(64, 96), sound="aac")
    path = tmp_path / f"painted{ending}"
    with open_film(str(source)) as film:
        info = film.info
    times = [Fraction(number, 10) for number in range(count + 1)]
    write_film(path, (pattern(number, 64, 96) for number in range(count)), times, info,
               Part(str(source)), None, lambda text: None)
    page = browser.new_page()
    page.route("**/*", lambda route: route.fulfill(
        body=path.read_bytes(), content_type=KINDS[ending]) if "film" in
        route.request.url.removeprefix(PAGE) else route.fulfill(
            body="<video src=film></video>", content_type="text/html"))
    page.goto(PAGE)
    seen = page.evaluate(PLAY)
    page.close()
    assert (seen["width"], seen["height"]) == (96, 64)
    assert seen["length"] == pytest.approx(1.5, abs=0.1)
    assert round((seen["first"] - 20) / 8) == number_of(pattern(0)) == 0
    assert round((seen["last"] - 20) / 8) == number_of(pattern(count - 1)) == count - 1
    assert seen["heard"] > 0

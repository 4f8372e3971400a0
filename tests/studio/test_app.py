"""What the page asks for, by HTTP: the studio paints what the command does."""

import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.commands.conftest import call
from tests.studio.served import MODEL, TINY, file_of, pixels, serving
from tf_style import Library, Settings, cli
from tf_style.commands.repeat import Record
from tf_style.image.picture import read_picture
from tf_style.image.samples import sample_path

FLAGS = ["--size=32", "--steps=2", "--scales=1", "--network=compact", "--weights=random",
         "--offline"]


@pytest.fixture
def working(tmp_path, monkeypatch):
    """The command writes here."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_form_says_what_there_is(page):
    form = page.get("/api/form").json()
    assert form["first"] == ["strength", "style_scale", "preserve_color", "size"]
    assert form["samples"]["content"] == ["sample:grace_hopper", "sample:harbor"]
    assert set(form["models"]) == set(form["samples"]["style"])
    values = {each["name"]: each["values"] for each in form["presets"]}
    assert values["preview"]["size"] == 256


@pytest.mark.parametrize("ending", ["png", "jpg", "tif"])
def test_a_picture_is_byte_for_byte_that_of_the_command(page, working, ending):
    job = page.when(page.post())
    assert (job["state"], job["error"], job["width"], job["height"]) == ("done", None, 32, 24)
    assert (job["progress"], job["step"], job["steps"], len(job["loss"])) == (1, 2, 2, 2)
    assert call(cli.main, "--content=sample:harbor", "--style=sample:waves", *FLAGS,
                f"--output=made.{ending}") == 0
    found = page.get(f"/api/jobs/{job['id']}/result.{ending}")
    assert found.content == Path(f"made.{ending}").read_bytes()
    assert f"harbor_waves.{ending}" in found.headers["content-disposition"]


def test_settings_are_read_back_from_a_download(page, working):
    job = page.when(page.post(options={**TINY, "strength": 0.7}))
    Path("made.png").write_bytes(page.get(f"/api/jobs/{job['id']}/result.png").content)
    record = Record.read("made.png")
    assert record.given == Settings(**TINY, strength=0.7, offline=True)
    assert record.pictures == {"content": "sample:harbor", "style": ["sample:waves"]}


def test_a_network_paints_as_the_command_does(page, working):
    job = page.when(page.by_network(options={**MODEL, "strength": 0.5}))
    assert job["state"] == "done"
    assert call(cli.main, "sample:harbor", "made.png", "--model=sample:waves", "--size=32",
                "--strength=0.5", "--offline") == 0
    assert page.get(f"/api/jobs/{job['id']}/result.png").content == Path("made.png").read_bytes()


def uploaded(page, picture, kind="PNG", name="my photo.png"):
    answer = page.upload(file_of(picture, kind), name)
    assert answer.status_code == 201, answer.text
    return answer.json()


def recipes(page, job):
    return [page.get(f"/api/jobs/{job['id']}/{kind}").text for kind in ("command", "python")]


@pytest.mark.slow
@pytest.mark.alone
def test_command_and_python_make_the_same_picture(page, working, content, style):
    opaque = np.linspace(0.2, 1, 64) + 0 * content[..., 0]
    photo, painting = uploaded(page, np.dstack([content, opaque])), uploaded(page, style)
    mask = np.zeros_like(content)
    mask[:, :30] = 1
    left, right = uploaded(page, mask), uploaded(page, 1 - mask)
    job = page.when(page.post(
        photo["ref"], [painting["ref"], "sample:ink"], protect=left["ref"],
        options={**TINY, "strength": 0.3, "style_blend": [2, 1]},
        content_masks=[left["ref"], right["ref"]]))
    assert job["state"] == "done", job["error"]
    made = pixels(page.get(f"/api/jobs/{job['id']}/result.png").content)
    command, python = recipes(page, job)
    (name,) = [word.removeprefix("--output=") for word in shlex.split(command)
               if word.startswith("--output=")]
    assert call(cli.main, *shlex.split(command)[1:]) == 0
    assert np.array_equal(np.asarray(Image.open(name)), made)
    Path(name).unlink()
    exec(python, {})
    assert np.array_equal(np.asarray(Image.open(name)), made)


@pytest.mark.parametrize("options", [
    {"strength": 0.5}, {"preserve_color": "luminance"},
    {"preserve_color": "statistics", "precision": "bfloat16"},
])
def test_command_and_python_of_a_network(page, working, content, options):
    photo = uploaded(page, np.dstack([content, np.linspace(0.2, 1, 64) + 0 * content[..., 0]]))
    mask = uploaded(page, np.zeros_like(content) + [[[x > 20] * 3 for x in range(64)]])
    job = page.when(page.by_network(
        content=photo["ref"], content_masks=[mask["ref"]], options={**MODEL, **options}))
    assert job["state"] == "done", job["error"]
    made = pixels(page.get(f"/api/jobs/{job['id']}/result.png").content)
    assert made.shape == (24, 32, 4)
    command, python = recipes(page, job)
    assert call(cli.main, *shlex.split(command)[1:]) == 0
    assert np.array_equal(np.asarray(Image.open("my_photo_waves.png")), made)
    Path("my_photo_waves.png").unlink()
    exec(python, {})
    assert np.array_equal(np.asarray(Image.open("my_photo_waves.png")), made)


def test_a_texture_needs_no_photograph(page):
    job = page.when(page.post(None, options={**TINY, "size": "40x24"}))
    assert (job["state"], job["width"], job["height"]) == ("done", 40, 24)
    command, python = recipes(page, job)
    assert "--content=none" in command and "    None,\n" in python


def test_an_upload_is_a_picture_as_the_package_reads_it(page, content):
    answer = uploaded(page, content, name="..\\a/b/\tmy photo.PNG")
    assert answer | {"name": "my photo.PNG", "width": 64, "height": 48} == answer
    view = page.get(f"/api/pictures/{answer['ref']}")
    assert view.headers["content-type"] == "image/jpeg"
    assert np.abs(pixels(view.content) / 255 - content).mean() < 0.02
    small = page.get(f"/api/pictures/{answer['ref']}", side=32)
    assert pixels(small.content).shape == (24, 32, 3)
    assert uploaded(page, content, name="other.png") == {**answer, "name": "other.png"}


def test_what_is_no_picture_is_refused_and_not_kept(page, content):
    folder = page.studio.folder / "pictures"
    before = sorted(folder.iterdir())
    for data in (b"", b"no picture", b"\x89PNG\r\n\x1a\n" + b"x" * 100,
                    file_of(content)[:2000]):
        answer = page.upload(data, "photo.png")
        assert answer.status_code == 400
        assert answer.json()["error"]["message"].startswith("photo.png: ")
    assert sorted(folder.iterdir()) == before


def test_errors_are_the_packages_own_and_name_their_option(page, content):
    for given, option, words in (
        ({"options": {"size": 4}}, "size", "at least 8. Received: 4"),
        ({"options": {"strength": 0.5, "style_weight": 3}}, "strength", "choose one of them"),
        ({"options": {"style_layers": "block9_conv1", "network": "compact"}}, "style_layers",
         "block9_conv1"),
        ({"styles": []}, "style", "at least one picture"),
        ({"content": "picture:" + "0" * 64}, "content", "not here any more"),
        ({"content": None, "options": {"preserve_color": "luminance"}}, "preserve_color",
         "there is no content"),
        ({"options": {"model": "sample:waves"}}, "style", "no effect with --model"),
        ({"content": None, "styles": [], "options": MODEL}, "content", "expected a picture"),
        ({"content_masks": ["sample:ink", "sample:ink"]}, "content_mask", "for each style (1)"),
    ):
        error = page.post(**given)["error"]
        assert (error["option"], words in error["message"]) == (option, True), error
    # What only the pictures show.
    mask = uploaded(page, content[:, :20], name="mask.png")
    job = page.when(page.post(protect=mask["ref"]))
    assert job["state"] == "failed" and job["error"]["option"] == "protect"
    assert "proportions" in job["error"]["message"]


def test_errors_have_names_that_the_page_knows(page, content):
    photo = uploaded(page, content[:1], name="strip.png")
    job = page.when(page.post("sample:harbor", [photo["ref"]],
                              options={**TINY, "style_layers": "block5_conv1"}))
    assert job["state"] == "failed"
    assert job["error"]["message"].startswith("strip.png: 64x1 is seen at")


@pytest.mark.parametrize("body", [
    b"", b"[", b"\xff", b'{"options": {"strength": NaN}}', b'{"options": {"strength": 1e999}}',
    b'{"options": {"style_layers": "\\ud800"}}', b"[" * 100_000, b'{"content": 1' + b"0" * 5000,
])
def test_odd_json_is_refused(page, body):
    answer = page.http.post("/api/jobs", content=body)
    assert answer.status_code == 400 and answer.json()["error"]["message"]


def test_a_result_can_be_painted_again(page):
    first = page.when(page.by_network())
    second = page.when(page.post(f"result:{first['id']}"))
    assert second["state"] == "done" and second["title"].startswith("harbor")
    assert pixels(page.get(f"/api/pictures/result:{second['id']}", side=16).content
                  ).shape == (12, 16, 3)
    assert page.http.delete(f"/api/jobs/{first['id']}").status_code == 204
    assert page.post(f"result:{first['id']}")["error"]["option"] == "content"


def test_a_job_is_deleted_with_its_files(page):
    job = page.when(page.by_network())
    folder = page.studio.folder / "jobs" / job["id"]
    assert (folder / "result.png").is_file()
    assert page.http.delete(f"/api/jobs/{job['id']}").status_code == 204
    assert not folder.exists() and page.http.get(f"/api/jobs/{job['id']}").status_code == 404


@pytest.mark.parametrize("path", [
    "/nothing", "/page/nothing.js", "/page/../app.py", "/page/%2e%2e%2fapp.py",
    "/page/..%5capp.py", "/api/pictures/picture:..%2f..%2fstudio.db", "/api/jobs/..",
    "/api/jobs/x/result.png", "/api/pictures/sample:%2e%2e", "/api/pictures/result:%2e",
    "/api/pictures//etc/passwd", "/api/pictures/file:%2fetc%2fpasswd",
])
def test_paths_lead_nowhere(page, path):
    answer = page.http.get(path)
    assert answer.status_code in (400, 404) and "error" in answer.json()


def test_a_result_whose_file_was_removed_is_gone(page):
    job = page.when(page.by_network())
    (page.studio.folder / "jobs" / job["id"] / "result.png").unlink()
    assert page.http.get(f"/api/jobs/{job['id']}/result.png").status_code == 404
    assert page.http.get(f"/api/pictures/result:{job['id']}").status_code == 400


def test_names_lose_no_more_than_their_ending(page, content):
    photo = uploaded(page, content, name="v1.2 of mine.png")
    first = page.when(page.by_network(content=photo["ref"]))
    assert first["title"] == "v1.2 of mine, waves"
    second = page.when(page.by_network(content=f"result:{first['id']}"))
    assert second["title"] == "v1.2 of mine, waves, waves"


def test_uploads_make_room(page, content, monkeypatch):
    job = page.when(page.by_network())
    monkeypatch.setattr(page.studio.store, "keep", 1)
    uploaded(page, content)
    assert page.http.get(f"/api/jobs/{job['id']}").status_code == 404


@pytest.mark.slow
@pytest.mark.alone
def test_the_library_is_shown_as_pictures(tmp_path, working):
    for name in ("ink", "waves", "stained_glass"):
        shutil.copy(sample_path(name), tmp_path / f"{name}.jpg")
    with Library(tmp_path / "styles.db", Settings(network="compact")) as library:
        library.add([tmp_path / "ink.jpg", tmp_path / "waves.jpg"])
    with Library(tmp_path / "styles.db") as library, serving(
            tmp_path / "studio", library=library) as page:
        listed = page.get("/api/library").json()
        assert listed["total"] == 2
        ink, waves = listed["pictures"]
        assert (ink["name"], waves["name"]) == ("ink.jpg", "waves.jpg")
        assert page.get("/api/library", name="wav").json()["pictures"] == [waves]
        assert page.get("/api/library", start=1, count=1).json()["pictures"] == [waves]
        like = page.get("/api/library/like", ref="sample:brushstrokes", count=2).json()
        assert {each["name"] for each in like["pictures"]} == {"ink.jpg", "waves.jpg"}
        assert max(pixels(page.get(f"/api/pictures/{ink['ref']}", side=128).content).shape) == 128
        job = page.when(page.post("sample:harbor", [ink["ref"]]))
        assert job["state"] == "done" and job["title"] == "harbor, ink"
        suits = page.get("/api/library/for", ref="sample:harbor").json()["pictures"]
        assert {each["name"] for each in suits} == {"ink.jpg", "waves.jpg"}
        assert all(isinstance(each["reasons"], list) for each in suits)
        for kind in ("like", "for"):
            answer = page.http.get(f"/api/library/{kind}", params={"ref": "picture:none"})
            assert answer.status_code == 400
        with Library(tmp_path / "styles.db", Settings(network="compact")) as another:
            another.add(tmp_path / "stained_glass.jpg")
        assert page.get("/api/library").json()["total"] == 3


def test_where_there_is_no_library_nothing_is_listed(page):
    assert page.get("/api/library").json() == {"pictures": [], "total": 0}
    assert page.get("/api/library/like", ref="sample:ink").json()["pictures"] == []


@pytest.mark.slow
@pytest.mark.alone
def test_a_transparent_photograph_is_downloaded_as_the_command_writes_it(page, working, content):
    alpha = np.linspace(0, 1, 64)[None].repeat(48, 0)
    Image.fromarray((np.dstack([content, alpha]) * 255).astype(np.uint8)).save("clear.png")
    photo = page.upload(Path("clear.png").read_bytes()).json()
    job = page.when(page.post(photo["ref"]))
    for ending in ("png", "jpg", "tif"):
        assert call(cli.main, "--content=clear.png", "--style=sample:waves", *FLAGS,
                    f"--output=made.{ending}") == 0
        found = pixels(page.get(f"/api/jobs/{job['id']}/result.{ending}").content).astype(int)
        there = np.asarray(Image.open(f"made.{ending}")).astype(int)
        assert found.shape == there.shape
        # A JPEG is made of what was rounded already.
        assert np.abs(found - there).mean() <= 2 * (ending == "jpg")
    assert read_picture("made.jpg").shape == (24, 32, 3)

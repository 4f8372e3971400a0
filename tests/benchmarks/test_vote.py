"""The forced choice: its questions, what the page must not tell, and how votes are counted."""

import csv
import json
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.vote import __main__ as vote
from benchmarks.vote import damage, entries
from benchmarks.vote.ballot import ASPECTS, Ballot, Question
from benchmarks.vote.count import Count, count, wilson
from benchmarks.vote.form import Form, read_form
from benchmarks.vote.sheets import sheet
from tf_style.commands.exits import guarded
from tf_style.image.picture import write_picture
from tf_style.settings import InputError

NAMES = [f"town{number}__waves.png" for number in range(9)]
BALLOT = Ballot.drawn(NAMES, "seed", "old", "new")


def run(*arguments):
    return guarded(vote.COMMAND, list(map(str, arguments)))


def asked(kind, ballot=BALLOT):
    return [question for question in ballot.questions.values() if question.kind == kind]


def prefer(maker, ballot=BALLOT, honest=True):
    """The answers of somebody who always prefers one maker."""
    answers = {}
    for each, question in ballot.questions.items():
        side = "left" if question.left == maker else "right"
        if question.ruined and honest:
            side = "right" if question.ruined == "left" else "left"
        elif question.ruined:
            side = question.ruined
        answers[each] = dict.fromkeys(ASPECTS, side)
    return answers


def test_each_pair_is_asked_about_in_both_orders_far_apart():
    places = {}
    for place, question in enumerate(BALLOT.questions.values()):
        if question.kind == "pair":
            places.setdefault(question.name, []).append((place, question.left, question.right))
    assert sorted(places) == NAMES
    for (first, *sides), (second, *others) in places.values():
        assert sorted(sides) == ["A", "B"] and others == sides[::-1]
        assert second - first > len(NAMES) // 2


def test_sides_of_the_first_round_are_balanced_but_follow_no_pattern():
    def lefts(seed):
        pairs = asked("pair", Ballot.drawn(NAMES, seed))
        return "".join(question.left for question in pairs[:len(NAMES)])

    assert all(lefts(str(seed)).count("A") in (4, 5) for seed in range(20))
    assert len({lefts(str(seed)) for seed in range(20)}) > 10


def test_catches_are_spread_over_the_session():
    ruined, identical = asked("ruined"), asked("identical")
    assert (len(ruined), len(identical)) == (6, 4)
    assert Counter(question.ruined for question in ruined) == {"left": 3, "right": 3}
    assert Counter(question.left for question in ruined) == {"A": 3, "B": 3}
    assert {question.damage for question in ruined} == set(damage.DAMAGES)
    assert all(question.left == question.right for question in [*ruined, *identical])
    places = [place for place, question in enumerate(BALLOT.questions.values())
              if question.kind != "pair"]
    assert max(np.diff([-1, *places, len(BALLOT.questions)])) <= 5
    assert len(asked("ruined", Ballot.drawn([str(each) for each in range(80)], ""))) == 16


def test_one_pair_is_enough():
    kinds = Counter(each.kind for each in Ballot.drawn(["a__b.png"], "").questions.values())
    assert kinds == {"pair": 2, "ruined": 6, "identical": 4}


def test_a_ballot_is_reproducible_and_survives_its_key():
    assert Ballot.drawn(NAMES, "seed", "old", "new") == BALLOT
    other = Ballot.drawn(NAMES, "another", "old", "new")
    assert other.id != BALLOT.id and other.questions != BALLOT.questions
    assert Ballot.from_dict(json.loads(json.dumps(BALLOT.as_dict())), "key") == BALLOT


@pytest.mark.parametrize("key", [
    [], None, {}, {"questions": {}}, {**BALLOT.as_dict(), "ballot": 3},
    {**BALLOT.as_dict(), "questions": {"q001": {"name": "a", "left": "A", "right": "C"}}},
    {**BALLOT.as_dict(), "questions": {"q001": {"name": "a", "left": ["A"], "right": "B"}}},
    {**BALLOT.as_dict(), "questions": ["q001"]},
])
def test_what_is_no_key_is_refused(key):
    with pytest.raises(InputError, match=r"file\.json: expected a key"):
        Ballot.from_dict(key, "file.json")


def test_damage_is_beyond_dispute(content):
    picture = np.uint8(content * 255)
    for name, ruin in damage.DAMAGES.items():
        ruined = ruin(picture)
        assert ruined.shape == picture.shape and ruined.dtype == np.uint8
        # What a strong blur or JPEG does to such a picture is below 5.
        assert np.abs(ruined.astype(float) - picture).mean() > (5 if name == "blocks" else 40)


@pytest.mark.parametrize(("chosen", "votes", "low", "high"), [
    # Newcombe, Statistics in Medicine 17, 1998, table I, method 3.
    (81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611),
    (1, 29, 0.0061, 0.1718),
    (0, 0, 0, 1), (20, 20, 1 - 0.1611, 1),
])
def test_wilson(chosen, votes, low, high):
    assert wilson(chosen, votes) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(("a", "b", "verdict"), [
    # 59 of 100 is at least 0.492, 60 of 100 at least 0.502.
    (59, 41, "undecided"), (60, 40, "A is better"), (41, 59, "undecided"), (40, 60, "B is better"),
])
def test_better_is_an_interval_above_one_half(a, b, verdict):
    assert Count(a, b, 0, 0, 0, 0, 0).verdict == verdict


def test_votes_for_each_maker_and_side():
    result = count(BALLOT, [Form("ann", prefer("A")), Form("bob", prefer("A"))])
    style = result.counts["style"]
    assert (style.a, style.b, style.left, style.votes) == (36, 0, 18, 36)
    assert (style.both_orders, style.opposite) == (18, 0)
    assert (style.verdict, result.voters, result.left_out) == ("A is better", ["ann", "bob"], {})
    assert (result.ruined, result.ruined_wrong) == (12, 0)
    assert count(BALLOT, [Form("ann", prefer("B"))]).counts["style"].verdict == "B is better"


def test_a_voter_who_prefers_a_side_says_nothing_about_the_makers():
    answers = prefer("A")
    for each, question in BALLOT.questions.items():
        if question.kind != "ruined":
            answers[each] = dict.fromkeys(ASPECTS, "left")
    figures = count(BALLOT, [Form("ann", answers)]).as_dict()["counts"]["overall"]
    assert figures == {
        "votes": 18, "a": 9, "b": 9, "share_a": 0.5, "share_left": 1.0,
        "interval": pytest.approx([0.29, 0.71], abs=1e-2), "verdict": "undecided", "enough": False,
        "both_orders": 9, "opposite": 9, "identical": 4, "identical_share_left": 1.0,
    }


def test_aspects_are_counted_apart_and_open_answers_not_at_all():
    answers = prefer("A")
    pair = next(each for each, question in BALLOT.questions.items() if question.kind == "pair")
    answers[pair] = {"style": "left" if BALLOT.questions[pair].left == "B" else "right"}
    counts = count(BALLOT, [Form("ann", answers)]).counts
    assert [(each.a, each.b) for each in counts.values()] == [(17, 1), (17, 0), (17, 0)]
    assert [each.both_orders for each in counts.values()] == [9, 8, 8]
    assert [each.opposite for each in counts.values()] == [1, 0, 0]


@pytest.mark.parametrize(("wrong", "counts"), [(0, True), (1, True), (2, False), (6, False)])
def test_voters_who_prefer_ruined_pictures_are_left_out(wrong, counts):
    answers, dishonest = prefer("A"), prefer("A", honest=False)
    ruined = [each for each, question in BALLOT.questions.items() if question.ruined]
    answers.update({each: dishonest[each] for each in ruined[:wrong]})
    result = count(BALLOT, [Form("ann", prefer("B")), Form("bob", answers)])
    assert ("bob" in result.voters) == counts
    assert result.counts["style"].a == (18 if counts else 0)
    if not counts:
        assert result.left_out == {"bob": f"preferred {wrong} of 6 ruined pictures"}


def test_exactly_a_quarter_of_ruined_pictures_is_forgiven():
    questions = {f"q{each}": Question("a", "A", "A", "left", "noise") for each in range(4)}
    ballot = Ballot("0", "A", "B", questions)
    answers = {each: {"overall": "right"} for each in questions}
    answers["q0"] = {"overall": "left"}
    assert count(ballot, [Form("ann", answers)]).voters == ["ann"]


def test_voters_who_were_never_tested_are_left_out():
    answers = {each: sides for each, sides in prefer("A").items()
               if BALLOT.questions[each].kind != "ruined"}
    result = count(BALLOT, [Form("ann", answers)])
    assert result.left_out == {"ann": "answered no question with a ruined picture"}
    assert result.counts["style"].interval == (0, 1)


def saved(answers, voter="ann", ballot=BALLOT.id):
    votes = [{"question": each, **sides, "milliseconds": 5} for each, sides in answers.items()]
    return json.dumps({"ballot": ballot, "voter": voter, "votes": votes})


def filled(answers, delimiter=","):
    rows = [["question", *ASPECTS], *([each, *sides.values()] for each, sides in answers.items())]
    return "\n".join(delimiter.join(row) for row in rows)


@pytest.mark.parametrize(("name", "text"), [
    ("ann.json", saved(prefer("A"))),
    ("ann.csv", filled(prefer("A"))),
    # As spreadsheets write it: a mark first, semicolons, capitals, empty lines.
    ("ann.csv", "\ufeff" + filled(prefer("A"), ";").replace("left", " Left") + "\n;;;\n"),
])
def test_forms_are_read(tmp_path, name, text):
    (tmp_path / name).write_text(text, encoding="utf-8")
    form = read_form(str(tmp_path / name), BALLOT)
    assert form.answers == prefer("A")
    assert form.voter == ("ann" if name == "ann.json" else str(tmp_path / name))


HEADER = ",".join(["question", *ASPECTS])


@pytest.mark.parametrize(("name", "text", "message"), [
    ("a.json", saved({"q999": {}}), "there is no question 'q999'"),
    ("a.csv", f"{HEADER}\nq999,left,left,left", "there is no question 'q999'"),
    ("a.csv", f"{HEADER}\nq001,left,middle,left", "q001, content: expected left or right"),
    ("a.csv", f"{HEADER}\nq001,left,left,left\nq001,,,", "q001 is answered twice"),
    ("a.csv", "question,style\nq001,left", "expected the header question,style,content,overall"),
    ("a.csv", "", "expected the header"),
    ("a.csv", f'{HEADER}\n"q001', "expected CSV"),
    ("a.json", "{", "expected JSON"),
    ("a.json", "[" * 100_000, "expected JSON"),
    ("a.json", "[1]", "expected votes as the page saves them"),
    ("a.json", '{"ballot": 1, "voter": 2, "votes": [3]}', "expected votes as the page saves them"),
    ("a.json", saved({}, ballot="beef"), "votes on ballot beef, the key is that of"),
    ("a.txt", "", "expected votes in a .json file"),
    ("a.csv", b"\xff\xfe", "expected text in UTF-8"),
    ("a.csv", None, "cannot be read"),
])
def test_foreign_files_are_refused_in_one_line(tmp_path, capsys, name, text, message):
    key, file = tmp_path / "page.key.json", tmp_path / name
    key.write_text(json.dumps(BALLOT.as_dict()))
    if text is not None:
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
    assert run("--count", file, f"--key={key}") == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and message in err and str(file) in err


def test_the_same_voter_counts_once(tmp_path, capsys):
    key = tmp_path / "page.key.json"
    key.write_text(json.dumps(BALLOT.as_dict()))
    for name in ("a.json", "b.json"):
        (tmp_path / name).write_text(saved(prefer("A")))
    assert run("--count", tmp_path / "a.json", tmp_path / "b.json", f"--key={key}") == 2
    assert "the votes of ann were already given" in capsys.readouterr().err


def test_results_of_two_sizes_get_the_smaller(content, style):
    large = np.repeat(np.repeat(content, 2, 0), 2, 1)
    entry = entries.Entry.of("a", large, content, large, style)
    assert entry.a.shape == entry.b.shape == entry.content.shape == (48, 64, 3)
    assert (entry.b == np.rint(content * 255)).all()
    assert max(entries.Entry.of("a", large, content, large, style, 32).a.shape) == 32
    with pytest.raises(InputError, match=r"same proportions\. Received: 64x48 and 48x64"):
        entries.Entry.of("a", content, content.transpose(1, 0, 2), content, style)


def test_a_sheet_shows_results_pixel_by_pixel(content, style):
    left, right = np.uint8(content * 255), np.uint8(style * 255)[:, ::-1]
    right = np.resize(right, left.shape)
    pixels = np.asarray(sheet("q001", left, right, left, right))
    found = [[at for at in range(pixels.shape[1] - 63)
              if (pixels[-64:-16, at:at + 64] == picture).all()] for picture in (left, right)]
    assert len(found[0]) == len(found[1]) == 1 and found[0][0] < found[1][0] - 63


@pytest.fixture
def folders(tmp_path, content, style):
    """Results of makers `moments` and `phase`, called by what they were made from."""
    for folder in ("contents", "styles", "moments", "phase"):
        (tmp_path / folder).mkdir()
    write_picture(tmp_path / "styles" / "waves.jpg", style)
    for number, name in enumerate(("town", "harbor")):
        write_picture(tmp_path / "contents" / f"{name}.png", content)
        for maker, share in (("moments", 0.5), ("phase", 0.9)):
            shifted = np.roll(content, number * 9 + 1, 1) * share
            write_picture(tmp_path / maker / f"{name}__waves.png", shifted, "a note")
    return tmp_path


def made(folder, *more):
    return run(folder / "moments", folder / "phase", f"--output={folder / 'page'}", *more)


def with_sources(folder):
    return f"--contents={folder / 'contents'}", f"--styles={folder / 'styles'}"


def test_the_page_tells_nothing(folders, capsys):
    write_picture(folders / "phase" / "alone__waves.png", np.zeros((8, 8, 3), np.float32))
    assert made(folders, *with_sources(folders), "--sheets") == 0
    out, err = capsys.readouterr()
    assert err == "left out, in one folder only: alone__waves.png\n"
    assert "pairs: 2; questions: 14; key: " in out and str(folders / "page.key.json") in out
    files = [file for file in (folders / "page").rglob("*") if file.is_file()]
    telling = re.compile("moments|phase|waves|town|harbor|a note|page.key|ruin|damage|identical")
    assert not [file for file in files if telling.search(f"{file.name} {text_in(file)}")]
    key = json.loads((folders / "page.key.json").read_text())
    assert key["a"] == str(folders / "moments") and len(key["questions"]) == 14


def test_the_benchmark_set_may_be_what_results_were_made_from(folders, capsys):
    for maker in ("moments", "phase"):
        (folders / maker / "harbor__waves.png").unlink()
        (folders / maker / "town__waves.png").rename(folders / maker / "crowd__waves.png")
    assert made(folders, "--set=nowhere") == 0
    assert "pairs: 1; " in capsys.readouterr().out


def text_in(file):
    """What a file says besides pixels."""
    if file.suffix != ".png":
        return file.read_text("utf-8")
    with Image.open(file) as image:
        return str(image.info)


def test_the_page_asks_what_the_key_says(folders):
    assert made(folders, *with_sources(folders), "--sheets") == 0
    page = (folders / "page" / "index.html").read_text("utf-8")
    record = json.loads(re.search("const ballot = (.*);", page)[1])
    ballot = Ballot.from_dict(json.loads((folders / "page.key.json").read_text()), "")
    assert record["ballot"] == ballot.id
    assert [asked["id"] for asked in record["questions"]] == list(ballot.questions)
    for asked, question in zip(record["questions"], ballot.questions.values(), strict=True):
        for side in ("left", "right"):
            maker, damage_ = question.shown(side)
            original = folders / {"A": "moments", "B": "phase"}[maker] / question.name
            pixels = np.asarray(Image.open(original))
            expected = damage.DAMAGES[damage_](pixels) if damage_ else pixels
            assert (np.asarray(Image.open(folders / "page" / asked[side])) == expected).all()
    sheets = sorted(file.stem for file in (folders / "page" / "sheets").iterdir())
    rows = list(csv.reader((folders / "page" / "votes.csv").read_text().splitlines()))
    assert sheets == list(ballot.questions) == [row[0] for row in rows[1:]]
    assert rows[0] == ["question", "style", "content", "overall"]


def test_the_page_needs_no_network():
    text = Path(vote.__file__).with_name("page.html").read_text("utf-8")
    assert not re.search(r"https?:|//\w+\.|@import|<link|src=|fetch\(|XMLHttp|WebSocket", text)


def test_same_seed_same_page(folders):
    pages = []
    for seed in ("0", "0", "1"):
        output = folders / f"page{len(pages)}"
        assert run(folders / "moments", folders / "phase", f"--output={output}", f"--seed={seed}",
                   *with_sources(folders)) == 0
        pages.append((output / "index.html").read_text("utf-8"))
    assert pages[0] == pages[1] != pages[2]


def test_other_pictures_are_another_ballot(content):
    compared = {"a": entries.Entry.of("a", content, content / 2, content, content)}
    changed = {"a": entries.Entry.of("a", content, content / 3, content, content)}
    assert entries.digest(compared) != entries.digest(changed)


def test_notes_name_content_and_style(folders, capsys):
    note = {"content": str(folders / "contents" / "town.png"),
            "style": [str(folders / "styles" / "waves.jpg")]}
    for name in ("town", "harbor"):
        (folders / "moments" / f"{name}__waves.png").unlink()
        picture = np.full((48, 64, 3), 0.5, np.float32)
        write_picture(folders / "moments" / f"{name}__waves.png", picture, json.dumps(note))
    assert made(folders) == 0
    (folders / "styles" / "waves.jpg").unlink()
    assert run(folders / "moments", folders / "phase", f"--output={folders / 'two'}") == 2
    assert "was made from" in capsys.readouterr().err and not (folders / "two").exists()


@pytest.mark.parametrize("note", [
    None, "text", "[]", "{}", '{"content": null, "style": ["a"]}', '{"content": "a", "style": []}',
    '{"content": "a", "style": ["b", "c"]}',
])
def test_notes_that_name_no_single_style_are_none(tmp_path, note):
    write_picture(tmp_path / "a.png", np.zeros((8, 8, 3), np.float32), note)
    assert entries.noted(str(tmp_path / "a.png")) is None


def test_bad_folders_are_refused_in_one_line(folders, capsys):
    (folders / "odd").mkdir()
    write_picture(folders / "odd" / "other.png", np.zeros((8, 8, 3), np.float32))
    (folders / "full").mkdir()
    (folders / "full" / "a.txt").touch()
    moments, phase, odd = (folders / name for name in ("moments", "phase", "odd"))
    output, sources = f"--output={folders / 'page'}", with_sources(folders)
    for arguments, message in [
        ([moments, odd, output, *sources], "expected pictures of the same names in both"),
        ([moments, folders / "none", output, *sources], "expected a folder of pictures"),
        ([moments, output, *sources], "expected two folders of results. Received: 1"),
        ([moments, phase], "--output: expected a value"),
        ([moments, phase, f"--output={folders / 'full'}", *sources], "Choose another --output"),
        ([moments, phase, output], "the file does not say which content"),
        ([moments, phase, output, sources[0]], "expected both or neither"),
        ([moments, phase, output, sources[0], f"--styles={odd}"], "no style picture 'waves'"),
        ([odd, odd, output, *sources], "expected a name such as CONTENT__STYLE.png"),
        ([moments, phase, output, "--json"], "expected --count, too"),
        ([moments, phase, output, "--sides"], "there is no such flag"),
        (["--count"], "--key: expected a value"),
    ]:
        assert run(*arguments) == 2
        out, err = capsys.readouterr()
        lines = [line for line in err.splitlines() if not line.startswith("left out")]
        assert out == "" and len(lines) == 1 and message in lines[0], (message, err)
        assert not (folders / "page").exists() and not (folders / "page.key.json").exists()


def test_a_page_is_never_replaced(folders, capsys):
    assert made(folders, *with_sources(folders)) == 0
    (folders / "page").rename(folders / "moved")
    assert made(folders, *with_sources(folders)) == 2
    assert "page.key.json: there is something already" in capsys.readouterr().err


def test_from_page_to_verdict(folders, capsys):
    assert made(folders, *with_sources(folders)) == 0
    key = folders / "page.key.json"
    ballot = Ballot.from_dict(json.loads(key.read_text()), "")
    (folders / "ann.json").write_text(saved(prefer("A", ballot), ballot=ballot.id))
    (folders / "bob.csv").write_text(filled(prefer("B", ballot, honest=False)))
    files = folders / "ann.json", folders / "bob.csv"
    capsys.readouterr()
    assert run("--count", *files, f"--key={key}", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["counts"]["overall"]["share_a"] == 1
    assert found["left_out"] == {str(files[1]): "preferred 6 of 6 ruined pictures"}
    assert run("--count", *files, f"--key={key}") == 0
    table = capsys.readouterr().out
    assert re.search(r"overall +4 +0 +100.0% +51.0% to 100.0% +A is better +50.0% +0 of 2", table)
    assert "too few votes: 4 on style" in table and f"left out: {files[1]}" in table

"""Results as text: what a person and a program read, and what never reaches a terminal."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from small import concept, open_index, study
from trialindex.builder import Report
from trialindex.fields import FIELDS
from trialindex.summary import Summary
from trialsearch import TrialSearch, export, render
from trialsearch.lines import Line, Piece, painted, plain, wrapped
from trialsearch.suggest import Suggestion

ESCAPES = "\x1b[31mred\x1b[0m \x1b]0;owned\x07\x9b2J \x08\x00 \u202etxt.exe \x1b]8;;http://bad\x1b\\link"
STEERING = [chr(code) for code in (*range(0x20), *range(0x7F, 0xA0), 0x200E, 0x200F, *range(0x202A, 0x202F))]


@pytest.fixture(scope="module")
def trials(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrialSearch]:
    """Four trials: two of lupus, one with everything filled, one of hostile text, one formula."""
    studies = [
        study(
            "NCT00000001",
            BriefTitle="Rituximab for lupus nephritis",
            OverallStatus="RECRUITING",
            StudyType="INTERVENTIONAL",
            Phase=["PHASE1", "PHASE2"],
            StartDate="2012-02",
            CompletionDate="2014",
            EnrollmentCount=1250,
            Condition=["Lupus Nephritis", "Vasculitis"],
            InterventionName=["Rituximab", "Prednisone"],
            LeadSponsorName="Example University",
            LocationCountry=["France", "Japan", "France"],
            BriefSummary="Rituximab is compared with prednisone in 1250 people.",
        ),
        study(
            "NCT00000002",
            BriefTitle="Lupus in children",
            OverallStatus="TERMINATED",
            DetailedDescription="No rituximab is given.",
        ),
        study(
            "NCT00000003",
            BriefTitle=f"Hostile {ESCAPES}",
            Condition=[f"Gout {ESCAPES}"],
            BriefSummary=ESCAPES,
        ),
        study(
            "NCT00000004",
            BriefTitle='=HYPERLINK("http://bad")',
            Condition=["-gout", 'a "quoted", comma'],
            LeadSponsorName="+1",
        ),
    ]
    concepts = [
        concept("C1", "lupus nephritis", "lupus glomerulonephritis", "lupus nephropathy", short="LN"),
        concept("I1", "rituximab", "Rituxan", "MabThera", "IDEC-C2B8", short="RTX", kind="intervention"),
    ]
    with open_index(tmp_path_factory.mktemp("render") / "index", studies, concepts) as opened:
        yield opened


def _bare(pieces: Iterable[Piece]) -> str:
    return "".join(text for text, _ in pieces)


def _plain(lines: Iterator[Line]) -> list[str]:
    return list(plain(lines))


def test_a_hit_shows_its_facts_and_why_it_was_found(trials: TrialSearch) -> None:
    results = trials.search("rituximb LN", limit=1)
    assert _plain(render.answer(results, limit=1)) == [
        "1 trial for rituximb LN",
        # Of other names those that trials have.
        "  rituximb: read as rituximab; 1 trial is linked to it or a kind of it",
        "  LN: also lupus nephritis; 1 trial is linked to it or a kind of it",
        "",
        "  1 NCT00000001  Rituximab for lupus nephritis",
        "    Recruiting · Phase 1 / Phase 2 · Interventional · 2012-02 to 2014 · 1,250 participants"
        " · France, Japan · Example University",
        "    conditions  Lupus Nephritis; Vasculitis",
        "    treatments  Rituximab; Prednisone",
        "    found by    rituximb: spelt rituximab, in title, intervention, summary",
        "                LN: as synonym lupus nephritis, in title, condition",
        "    summary     Rituximab is compared with prednisone in 1250 people.",
    ]


def test_partial_hits_stand_apart_and_pages_go_on(trials: TrialSearch) -> None:
    lines = _plain(render.answer(trials.search("lupus vasculitis", limit=2), limit=2))
    assert lines[0] == "1 trial for lupus vasculitis"
    rule = lines.index("── 1 more has only some of the words")
    assert [line for line in lines if "NCT" in line] == [
        "  1 NCT00000001  Rituximab for lupus nephritis",
        "  2 NCT00000002  Lupus in children",
    ]
    assert lines.index("  1 NCT00000001  Rituximab for lupus nephritis") < rule
    assert rule < lines.index("  2 NCT00000002  Lupus in children")
    first = _plain(render.answer(trials.search("lupus", limit=1), limit=1))
    assert first[0] == "2 trials for lupus"
    assert first[-1] == "Shown: 1 to 1 of 2. More: --offset 1"
    second = _plain(render.answer(trials.search("lupus", limit=1, offset=1), limit=1))
    assert any(line.startswith("  2 NCT0000000") for line in second)
    assert not any(line.startswith("Shown") for line in second)
    assert "Nothing that far down; the last ones: --offset 1" in _plain(
        render.answer(trials.search("lupus", limit=1, offset=9), limit=1)
    )


def test_an_empty_answer_says_what_emptied_it(trials: TrialSearch) -> None:
    lines = _plain(render.answer(trials.search("lupus", cond="gout", phase=4), limit=10))
    assert lines[0] == "No trial for lupus; cond: gout; phase: 4"
    table = [line.split("  ") for line in lines if line.startswith("  ") and "also" not in line]
    rows = [[cell.strip() for cell in row if cell.strip()] for row in table]
    assert rows[:4] == [
        ["asked", "alone", "together", "without"],
        ["lupus", "2", "2", "0"],
        ["gout in conditions", "2", "0", "0", "<- none of those above has this"],
        ["phase: 4", "0", "0", "0"],
    ]
    assert "no trial has this" in "\n".join(_plain(render.answer(trials.search("phase:4"), limit=10)))


def test_words_that_stand_only_elsewhere_are_told(trials: TrialSearch) -> None:
    hint = "1 more mentions these words only in criteria, descriptions or results: add --everywhere"
    assert hint in _plain(render.answer(trials.search("rituximab"), limit=10))
    everywhere = trials.search("rituximab", everywhere=True)
    assert hint not in _plain(render.answer(everywhere, limit=10, everywhere=True))
    assert hint not in _plain(render.answer(trials.search("prednisone"), limit=10))


def test_explain_prints_the_whole_query_and_the_parts_of_a_score(trials: TrialSearch) -> None:
    results = trials.search("LN", limit=1)
    lines = _plain(render.answer(results, limit=1, explain=True))
    assert lines[:3] == [
        "1 trial for LN",
        "  query: LN",
        "  widened: LN [=lupus nephritis; ^lupus nephritis]",
    ]
    assert results[0].explanation is not None
    assert [line.strip() for line in results[0].explanation.lines()] == [
        line.strip() for line in lines if line.strip()[:1].isdigit() and "." in line.split()[0]
    ]
    assert not any("BM25" in line for line in _plain(render.answer(results, limit=1)))


def test_no_character_of_a_record_steers_a_terminal(trials: TrialSearch) -> None:
    results = trials.search("hostile", limit=1)
    (hit,) = results
    texts = [
        *plain(render.answer(results, explain=True)),
        *plain(render.likeness(results, hit.summary)),
        *map(_bare, wrapped(render.answer(results), 60)),
        *map(_bare, wrapped([Line(((ESCAPES, "title"),))], 60)),
        *plain(render.names([Suggestion(ESCAPES, "condition", 3)])),
        export.as_json(results),
        *export.as_jsonl(results),
        *export.as_csv(results),
    ]
    assert any("Hostile red" in text for text in texts)
    for text in texts:
        assert not [mark for mark in STEERING if mark in text.replace("\n", "")], text


def test_names_show_what_they_were_found_by() -> None:
    found = [
        Suggestion("pembrolizumab", "intervention", 1250, via="Keytruda", concept="C1"),
        Suggestion("Keyhole surgery", "intervention", 3, corrected="key"),
    ]
    assert list(plain(render.names(found))) == [
        "pembrolizumab (Keytruda)  intervention  1,250",
        "Keyhole surgery           intervention      3  begins with key",
    ]


def test_json_keeps_what_a_terminal_must_not_get(trials: TrialSearch) -> None:
    whole = json.loads(export.as_json(trials.search("hostile", limit=1)))
    assert whole["hits"][0]["title"] == f"Hostile {ESCAPES}"


def test_json_is_one_object_with_all_that_is_known_of_a_hit(trials: TrialSearch) -> None:
    results = trials.search("rituximb", limit=1)
    whole = json.loads(export.as_json(results, limit=1, explain=True))
    assert {key: whole[key] for key in ("total", "partial_total", "offset", "elsewhere", "steps")} == {
        "total": 1, "partial_total": 0, "offset": 0, "elsewhere": None, "steps": [],
    }  # fmt: skip
    (hit,) = whole["hits"]
    explanation = hit.pop("explanation")
    assert explanation and explanation[0].split()[0] == f"{results[0].score:.3f}"
    assert hit.pop("score") == pytest.approx(results[0].score, abs=1e-5)
    snippets = hit.pop("snippets")
    assert {"field": "InterventionName", "text": "Rituximab", "spans": [[0, 9]]} in snippets
    assert hit == {
        "id": "NCT00000001",
        "partial": False,
        "title": "Rituximab for lupus nephritis",
        "status": "RECRUITING",
        "phases": ["PHASE1", "PHASE2"],
        "study_type": "INTERVENTIONAL",
        "start": "2012-02",
        "completion": "2014",
        "enrollment": 1250,
        "conditions": ["Lupus Nephritis", "Vasculitis"],
        "interventions": ["Rituximab", "Prednisone"],
        "sponsor": "Example University",
        "countries": ["France", "Japan"],
        "has_results": False,
        "why": [
            {
                "asked": "rituximb",
                "how": "spelling",
                "found": "rituximab",
                "fields": ["BriefTitle", "InterventionName", "BriefSummary"],
            },
        ],
    }
    assert [json.loads(line)["id"] for line in export.as_jsonl(results)] == ["NCT00000001"]
    empty = json.loads(export.as_json(trials.search("gout phase:4"), limit=10))
    assert empty["hits"] == [] and empty["elsewhere"] == 0
    assert empty["steps"][-1] == {"text": "AREA[Phase]PHASE4", "alone": 0, "left": 0, "without": 2}


def test_csv_reads_back_and_runs_no_formula(trials: TrialSearch) -> None:
    rows = list(csv.DictReader(export.as_csv(trials.search("ALL", sort="id"))))
    assert [row["id"] for row in rows] == [f"NCT0000000{number}" for number in range(1, 5)]
    first, _, _, last = rows
    assert (first["phases"], first["conditions"]) == ("PHASE1|PHASE2", "Lupus Nephritis|Vasculitis")
    assert (first["start"], first["enrollment"], first["has_results"]) == ("2012-02", "1250", "no")
    assert last["title"] == '\'=HYPERLINK("http://bad")'
    assert last["conditions"] == '\'-gout|a "quoted", comma'
    assert last["sponsor"] == "+1"
    assert list(export.as_ids(trials.search("ALL", sort="id", limit=2))) == ["NCT00000001", "NCT00000002"]


@pytest.mark.parametrize("width", [40, 60, 100])
def test_a_terminal_line_is_never_wider_than_the_terminal(trials: TrialSearch, width: int) -> None:
    lines = list(render.answer(trials.search("rituximb LN gout", limit=5), limit=5, explain=True))
    shown = [_bare(pieces) for pieces in wrapped(lines, width)]
    assert max(map(cell_len, shown)) <= width
    squeezed = "".join("".join(text.split()) for text in shown).replace("─", "")
    assert squeezed == "".join("".join(text.split()) for text in plain(lines)).replace("─", "")


def test_a_broken_line_goes_on_under_its_text() -> None:
    line = Line((("one two three four", ""),), 2, lead=(("name  ", "label"),))
    assert [_bare(pieces) for pieces in wrapped([line], 20)] == [
        "  name  one two",
        "        three four",
    ]
    assert [_bare(pieces) for pieces in wrapped([Line(), Line((("x", ""),), fill="─")], 5)] == ["", "x────"]


@given(st.text("ab -éß狼瘡\u0301", max_size=40), st.integers(2, 12))
def test_lines_are_broken_where_another_implementation_breaks_them(text: str, width: int) -> None:
    expected = Text(text).wrap(Console(width=width), width)
    for line in expected:
        line.rstrip()
    broken = [_bare(pieces) for pieces in wrapped([Line(((text, ""),))], width)]
    assert "".join("".join(broken).split()) == "".join(text.split())
    # What is cut inside a word, the other one goes on from as if the space behind it began a line.
    if all(cell_len(word) <= width for word in text.split()):
        assert broken == [line.plain for line in expected]
    assert max(map(cell_len, broken)) <= width


def test_a_style_is_a_weight_and_a_colour() -> None:
    pieces = (("NCT1", "id"), (" ", ""), ("good", "good"), ("", "head"))
    assert painted(pieces) == "\x1b[1;36mNCT1\x1b[0m \x1b[32mgood\x1b[0m"
    assert painted(pieces, colour=False) == "\x1b[1mNCT1\x1b[0m good"


def test_the_words_found_are_marked_and_no_others(trials: TrialSearch) -> None:
    lines = list(render.answer(trials.search("LN", limit=1), limit=1))
    marked = {piece[0] for line in lines for piece in line.pieces if piece[1] == "found"}
    assert marked == {"lupus nephritis", "Lupus Nephritis"}
    title = next(pieces for pieces in wrapped(lines, 100) if "NCT00000001" in _bare(pieces))
    assert {("lupus nephritis", "found"), ("Rituximab for ", "title")} <= set(title)


def test_likeness_tells_the_words_in_common(trials: TrialSearch) -> None:
    like = Summary(trials.study("NCT00000002"))
    lines = _plain(render.likeness(trials.similar("NCT00000002"), like))
    assert lines[0] == "The trial most like NCT00000002 Lupus in children"
    assert "    in common   lupus" in lines
    lonely = trials.similar("NCT00000001", limit=0)
    assert _plain(render.likeness(lonely, Summary(trials.study("NCT00000001")))) == [
        "No trial shares telling words with NCT00000001 Rituximab for lupus nephritis"
    ]


def test_every_field_has_a_name_that_a_person_knows() -> None:
    labels = {name: render.field_label(name) for name in FIELDS}
    for name, label in labels.items():
        assert label.replace("MeSH", "").islower(), name
        assert "brief" not in label and "measure" not in label.replace("baseline measure", ""), name
    assert not render._LABELS.keys() - FIELDS.keys()


def test_the_report_of_a_run_adds_up_in_aligned_lines() -> None:
    report = Report(
        records=1234, added=1200, changed=20, unchanged=4, rejected=10, skipped=2, odd=3, trials=5000,
        odd_kinds=Counter(),
    )  # fmt: skip
    assert list(plain(render.report_lines(report, "there"))) == [
        "records read           1,234",
        "  added                1,200",
        "  changed                 20",
        "  unchanged                4",
        "  rejected                10",
        "files without a trial      2",
        "odd values                 3",
        "trials in the index    5,000  in there",
    ]
    same = Report(records=4, unchanged=4, trials=4)
    assert list(plain(render.report_lines(same, "there")))[-1].startswith("nothing changed")

"""TrialSearch over a tiny index: every option, filter and promise, alone."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from small import check_sums, full, ids, make_index, open_index, study
from trialindex.errors import IndexMissing, QueryError, QuerySyntaxError
from trialsearch import Hit, Results, TrialSearch
from trialsearch.engine import default_index
from trialsearch.sorting import SORTS

ONE, TWO, THREE, FOUR = (f"NCT0000000{number}" for number in range(1, 5))


@pytest.fixture(scope="module")
def options(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrialSearch]:
    """One trial that has all that options ask, and for each option one that differs in that alone."""
    has: dict[str, Any] = {
        "BriefTitle": "zabomol trial",
        "Condition": ["kadosis"],
        "InterventionName": ["mofumab"],
        "PrimaryOutcomeMeasure": ["vakscore"],
        "LeadSponsorName": "Wukington University",
        "LocationCity": ["Zubville"],
        "LocationCountry": ["France"],
        "OrgStudyId": "KOD-77",
        "EligibilityCriteria": "Inclusion Criteria:\n\n* kuditis\n\nExclusion Criteria:\n\n* vokemia",
        "OverallStatus": "RECRUITING",
        "Phase": ["PHASE1", "PHASE2"],
        "StudyType": "INTERVENTIONAL",
        "Sex": "FEMALE",
        "MinimumAge": "18 Years",
        "MaximumAge": "65 Years",
        "StartDate": "2012-02",
        "LastUpdatePostDate": "2020-06-15",
        "HasResults": True,
        "DetailedDescription": "deeptext",
    }
    differ: list[dict[str, Any]] = [
        {"BriefTitle": "another trial"},
        {"Condition": ["other"]},
        {"InterventionName": ["other"]},
        {"PrimaryOutcomeMeasure": ["other"]},
        {"LeadSponsorName": "Other"},
        {"LocationCity": ["Other"]},
        {"LocationCountry": ["Spain"]},
        {"OrgStudyId": "KOD-78"},
        # Inclusion and exclusion change places.
        {"EligibilityCriteria": "Inclusion Criteria:\n\n* vokemia\n\nExclusion Criteria:\n\n* kuditis"},
        {"OverallStatus": "COMPLETED"},
        {"Phase": ["PHASE3"]},
        {"StudyType": "OBSERVATIONAL"},
        {"Sex": "MALE"},
        {"MinimumAge": "40 Years"},
        {"MaximumAge": "30 Years"},
        {"StartDate": "2013"},
        {"LastUpdatePostDate": "2021-06-15"},
        {"HasResults": False},
        {"DetailedDescription": "other"},
    ]
    studies = [study("NCT00000100", **has)]
    studies += [study(f"NCT00000{101 + number}", **(has | other)) for number, other in enumerate(differ)]
    with open_index(tmp_path_factory.mktemp("options") / "index", studies) as trials:
        assert len(trials) == 20
        yield trials


@pytest.mark.parametrize(
    ("without", "query"),
    [
        ([0], {"query": "zabomol"}),
        ([0], {"title": "zabomol"}),
        ([0], {"query": "title:zabomol"}),
        ([1], {"cond": "kadosis"}),
        ([2], {"intr": "mofumab"}),
        ([3], {"outcome": "vakscore"}),
        ([4], {"sponsor": "wukington"}),
        ([5], {"location": "zubville"}),
        ([6], {"country": "france"}),
        ([6], {"country": ["France", "Peru"]}),
        ([6], {"location": "France"}),
        ([7], {"id": "KOD-77"}),
        ([8], {"inclusion": "kuditis"}),
        ([8], {"exclusion": "vokemia"}),
        ([9], {"status": "recruiting"}),
        ([9], {"status": ["RECRUITING", "WITHDRAWN"]}),
        ([10], {"phase": 1}),
        ([10], {"phase": "2"}),
        ([10], {"phase": "1/2"}),
        ([10], {"phase": [2, 4]}),
        ([10], {"query": "phase:2"}),
        ([11], {"type": "interventional"}),
        ([12], {"sex": "female"}),
        ([13, 14], {"age": 34}),
        ([13, 14], {"age": "420 months"}),
        ([13, 14], {"query": "age:34"}),
        ([14], {"age": 65}),
        ([15], {"start": "2012"}),
        ([15], {"start": "2012-02-10"}),
        ([15], {"start": "..2012-02"}),
        ([15], {"start": "2011..2012-02-01"}),
        ([16], {"updated": "2020-06"}),
        ([16], {"updated": "..2020"}),
        ([17], {"with_results": True}),
        ([17], {"query": "results:yes"}),
        ([18], {"query": "deeptext", "everywhere": True}),
        ([18], {"query": "AREA[DetailedDescription]deeptext"}),
        ([], {}),
        ([], {"query": "ALL"}),
        ([], {"phase": [], "status": (), "country": []}),
    ],
)
def test_each_option_leaves_out_exactly_what_differs_in_it(
    options: TrialSearch, without: list[int], query: dict[str, Any]
) -> None:
    wanted = {"NCT00000100"} | {f"NCT00000{101 + number}" for number in range(19) if number not in without}
    results = options.search(**query, limit=None)
    assert set(full(results)) == wanted
    assert results.total == len(wanted)


@pytest.mark.parametrize(
    ("only", "query"),
    [
        ("NCT00000111", {"phase": 3}),
        ("NCT00000110", {"status": "completed"}),
        ("NCT00000107", {"country": "Spain"}),
        ("NCT00000118", {"with_results": False}),
        ("NCT00000114", {"age": 66, "query": "AREA[MinimumAge]RANGE[40 years, MAX]"}),
        ("NCT00000109", {"inclusion": "vokemia"}),
        ("NCT00000113", {"sex": "male"}),
        ("NCT00000116", {"start": "2013-05.."}),
    ],
)
def test_and_the_other_way_round(options: TrialSearch, only: str, query: dict[str, Any]) -> None:
    found = options.search(**query, limit=None)
    assert full(found) == ([] if query.get("age") == 66 else [only])


def test_criteria_and_descriptions_are_no_matter_of_plain_words(options: TrialSearch) -> None:
    for word, elsewhere in (("vokemia", 20), ("kuditis", 20), ("deeptext", 19)):
        results = options.search(word)
        assert (list(results), results.total, results.elsewhere) == ([], 0, elsewhere)
    assert options.search("zabomol").elsewhere == 0
    assert options.search("vokemia", everywhere=True).elsewhere == 0
    assert options.search(phase=2).elsewhere == 0


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"phase": 5}, "no phase '5'"),
        ({"status": "open"}, "no status 'open'"),
        ({"sex": "x"}, "no sex 'x'"),
        ({"type": "x"}, "no type 'x'"),
        ({"age": "old"}, "is no age"),
        ({"start": "soon"}, "is no date"),
        ({"updated": "2012..soon"}, "is no date"),
        ({"sort": "size"}, "no sort 'size'; relevance, or one of updated"),
        ({"sort": "updated:up"}, "no sort"),
        ({"sort": "relevance:asc"}, "no sort"),
        ({"limit": -1}, "0 or more"),
        ({"offset": -1}, "0 or more"),
        ({"query": "titel:x"}, "no field or area"),
        ({"query": "x" * 5000}, "at most 4,000"),
    ],
)
def test_what_cannot_be_asked_is_said(options: TrialSearch, query: dict[str, Any], message: str) -> None:
    with pytest.raises(QueryError, match=message.replace("(", "\\(")):
        options.search(**query)


def test_a_syntax_error_in_an_option_has_its_place(options: TrialSearch) -> None:
    with pytest.raises(QuerySyntaxError) as caught:
        options.search(cond="kadosis AND")
    assert caught.value.position == 11


def test_options_take_the_query_language(options: TrialSearch) -> None:
    assert options.search(cond="kadosis OR other").total == 20
    assert full(options.search(cond="NOT kadosis")) == ["NCT00000102"]
    assert options.search(cond='"kadosis"').total == 19
    assert options.search(intr="mofu*").total == 19
    # ALL is a disease where a condition is asked.
    assert options.search(cond="ALL").total == 0


def test_several_ids_are_any_of_them(options: TrialSearch) -> None:
    wanted = ["NCT00000101", "NCT00000103"]
    for text in ("NCT00000101,NCT00000103", "NCT00000101, nct00000103", "NCT00000101 NCT00000103"):
        assert sorted(full(options.search(id=text))) == wanted
    assert full(options.search("NCT00000101")) == ["NCT00000101"]
    assert full(options.search(id="NCT0000010")) == []


@pytest.fixture(scope="module")
def sorts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrialSearch]:
    dates = {
        "updated": "LastUpdatePostDate",
        "start": "StartDate",
        "completion": "CompletionDate",
        "posted": "StudyFirstPostDate",
    }
    values = {ONE: ("2012", 5), TWO: ("2010-03", 50), THREE: None, FOUR: ("2012", 5)}
    studies = []
    for nct_id in (FOUR, THREE, TWO, ONE):
        held = values[nct_id]
        pieces: dict[str, Any] = (
            {} if held is None else dict.fromkeys(dates.values(), held[0]) | {"EnrollmentCount": held[1]}
        )
        studies.append(study(nct_id, BriefTitle="zab", **pieces))
    with open_index(tmp_path_factory.mktemp("sorts") / "index", studies) as trials:
        yield trials


@pytest.mark.parametrize("name", ["updated", "start", "completion", "posted"])
def test_dates_sort_the_latest_first_with_missing_last_and_ties_by_id(sorts: TrialSearch, name: str) -> None:
    latest, earliest = [ONE, FOUR, TWO, THREE], [TWO, ONE, FOUR, THREE]
    assert ids(sorts.search("zab", sort=name)) == latest
    assert ids(sorts.search("zab", sort=f"{name}:desc")) == latest
    assert ids(sorts.search("zab", sort=f"{name}:asc")) == earliest


def test_other_sorts(sorts: TrialSearch) -> None:
    assert ids(sorts.search("zab", sort="enrollment")) == [TWO, ONE, FOUR, THREE]
    assert ids(sorts.search("zab", sort="enrollment:asc")) == [ONE, FOUR, TWO, THREE]
    assert ids(sorts.search("zab", sort="id")) == [ONE, TWO, THREE, FOUR]
    assert ids(sorts.search("zab", sort="id:desc")) == [FOUR, THREE, TWO, ONE]
    # All titles are one word: equal scores, ties by id.
    assert ids(sorts.search("zab")) == [ONE, TWO, THREE, FOUR]
    assert set(SORTS) == {"updated", "start", "completion", "posted", "enrollment", "id", "distance"}


@pytest.fixture(scope="module")
def ranks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrialSearch]:
    """Trials with both words, near and far, and trials with one of them."""
    studies = [
        study("NCT00000001", BriefTitle="zab kad", BriefSummary="mof"),
        study("NCT00000002", BriefTitle="zab", BriefSummary="kad vak"),
        study("NCT00000003", BriefTitle="mof", BriefSummary="zab vok vak vok vak vok kad"),
        study("NCT00000004", BriefTitle="zab zab"),
        study("NCT00000005", BriefTitle="kad", Phase=["PHASE2"]),
        study("NCT00000006", BriefTitle="vok", Phase=["PHASE2"]),
    ]
    with open_index(tmp_path_factory.mktemp("ranks") / "index", studies) as trials:
        yield trials


def test_heavy_fields_come_first_and_partial_hits_come_last(ranks: TrialSearch) -> None:
    results = ranks.search("zab kad")
    assert full(results) == [ONE, TWO, THREE]
    assert [hit.partial for hit in results] == [False] * 3 + [True] * 2
    assert {hit.id for hit in results if hit.partial} == {"NCT00000004", "NCT00000005"}
    assert (results.total, results.partial_total) == (3, 2)


def test_options_fields_and_phrases_are_met_or_not_only_plain_words_are_met_in_part(tmp_path: Path) -> None:
    trials = open_index(
        tmp_path,
        [
            study("NCT00000001", BriefTitle="zab kad", Condition=["gout"]),
            study("NCT00000002", BriefTitle="zab", Condition=["gout"]),
            study("NCT00000003", BriefTitle="zab kad"),
            study("NCT00000004", BriefTitle="zab", Condition=["asthma"]),
        ],
    )
    assert ids(trials.search("zab", cond="gout")) == ["NCT00000002", "NCT00000001"]
    assert ids(trials.search("zab kad", cond="gout")) == ["NCT00000001", "NCT00000002"]
    assert [hit.partial for hit in trials.search("zab kad", cond="gout")] == [False, True]
    # The shorter of the two says more of what it says.
    assert ids(trials.search('zab "kad"')) == ["NCT00000003", "NCT00000001"]
    assert ids(trials.search("title:kad title:zab cond:gout")) == ["NCT00000001"]
    trials.close()


def test_partial_hits_come_only_where_room_is_left(ranks: TrialSearch) -> None:
    assert [hit.partial for hit in ranks.search("zab kad", limit=3)] == [False] * 3
    assert [hit.partial for hit in ranks.search("zab kad", limit=4)] == [False] * 3 + [True]
    results = ranks.search("zab kad", limit=0)
    assert (len(results), results.total, results.partial_total) == (0, 3, 2)
    assert not any(hit.partial for hit in ranks.search("zab kad", sort="id"))
    # A single word, a phrase and an OR have no parts to miss.
    for query in ("zab", '"zab kad"', "zab OR kad"):
        assert not any(hit.partial for hit in ranks.search(query))


def test_of_a_known_name_the_words_may_be_had_in_part(tmp_path: Path) -> None:
    studies = [
        study(ONE, BriefTitle="multiple sclerosis"),
        study(TWO, BriefTitle="systemic sclerosis"),
        study(THREE, BriefTitle="gout"),
    ]
    with open_index(tmp_path / "index", studies) as trials:
        results = trials.search("systemic sclerosis")
        assert [(hit.id, hit.partial) for hit in results] == [(TWO, False), (ONE, True)]
        results = trials.search("systemic sclerosis gout")
        assert (results.total, results.partial_total) == (0, 3)
        assert results[0].id == TWO


def test_partial_hits_pass_every_filter_and_every_not(ranks: TrialSearch) -> None:
    assert ids(ranks.search("zab kad", phase=2)) == ["NCT00000005"]
    assert sorted(ids(ranks.search("zab kad NOT mof"))) == ["NCT00000002", "NCT00000004", "NCT00000005"]
    assert ranks.search("zab kad", phase=2)[0].explanation is None


@pytest.mark.parametrize("size", [1, 2, 3, 4, 7])
def test_paging_gives_every_hit_once_in_the_one_order(ranks: TrialSearch, size: int) -> None:
    whole = ranks.search("zab kad", limit=None)
    paged: list[Hit] = []
    for offset in range(0, 10, size):
        page = ranks.search("zab kad", limit=size, offset=offset)
        assert (page.total, page.offset) == (3, offset)
        paged += page
    assert paged == list(whole)
    assert len(ids(paged)) == len(set(ids(paged))) == 5


def test_what_emptied_an_answer_is_named(ranks: TrialSearch) -> None:
    results = ranks.search("zab wuk", phase=2)
    assert len(results) == 0
    assert [(step.text, step.alone, step.left) for step in results.steps] == [
        ("zab", 4, 4),
        ("wuk", 0, 0),
        ("phase: 2", 2, 0),
    ]
    results = ranks.search("zab", phase=2)
    assert [(step.text, step.alone, step.left) for step in results.steps] == [
        ("zab", 4, 4),
        ("phase: 2", 2, 0),
    ]


def test_results_are_a_sequence_that_does_not_change(ranks: TrialSearch) -> None:
    results = ranks.search("zab kad")
    assert isinstance(results, Results)
    assert isinstance(results, Sequence)
    assert len(results) == 5
    assert results[0].id == ONE
    assert results[-1].partial
    assert ids(results[1:3]) == [TWO, THREE]
    assert ids(reversed(results)) == ids(results)[::-1]
    assert results[0] in results
    assert results.index(results[2]) == 2
    assert ids(results) == ids(results)
    with pytest.raises(IndexError):
        results[5]
    for name in ("id", "score", "partial"):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(results[0], name, "x")
    assert repr(results) == "<Results 5 of 3 for zab AND kad>"
    assert list(ranks.search("wuk")) == []
    with pytest.raises(ValueError, match="by hand"):
        _ = Hit(ONE, 1.0).study


def test_a_hit_says_why(ranks: TrialSearch) -> None:
    hit = ranks.search("zab kad")[0]
    assert [(match.asked, match.how, match.fields) for match in hit.why] == [
        ("zab", "typed", ("BriefTitle",)),
        ("kad", "typed", ("BriefTitle",)),
    ]
    assert str(hit.why[0]) == "zab: as typed (BriefTitle)"
    assert hit.trial.title == "zab kad"
    assert hit.study["protocolSection"]["identificationModule"]["nctId"] == ONE


def test_the_scores_parts_add_up(ranks: TrialSearch) -> None:
    for query in ("zab kad", "zab OR kad", '"zab kad"', "za*", "title:zab kad", "zab phase:2 OR kad"):
        for hit in ranks.search(query):
            if not hit.partial:
                assert hit.explanation is not None
                assert hit.explanation.score == pytest.approx(hit.score)
                check_sums(hit.explanation)


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrialSearch]:
    studies = [
        study(ONE, BriefTitle="A study of scleroderma", InterventionName=["cyclophosphamide"]),
        study(TWO, BriefTitle="A study of systemic sclerosis", InterventionName=["IL-2"]),
        study(THREE, BriefTitle="A study of SSc", OfficialTitle="methotrexate"),
        study(FOUR, BriefTitle="A study of gout", InterventionName=["IL-12"]),
        study("NCT00000005", BriefTitle="Treating relapsed ALL"),
        study("NCT00000006", BriefTitle="All comers relapsed"),
    ]
    with open_index(tmp_path_factory.mktemp("names") / "index", studies) as trials:
        yield trials


@pytest.mark.parametrize(("typed", "own"), [("scleroderma", ONE), ("systemic sclerosis", TWO)])
def test_synonyms_find_the_same_trials_and_score_below_the_words_as_typed(
    names: TrialSearch, typed: str, own: str
) -> None:
    results = names.search(typed)
    assert set(full(results)) == {ONE, TWO, THREE}
    assert results[0].id == own
    assert results[0].why[0].how == "typed"
    assert all(hit.why[0].how == "synonym" and hit.score < results[0].score for hit in results[1:])
    assert full(names.search(typed, synonyms=False)) == [own]
    assert "[=" in str(results.query)


def test_an_abbreviation_finds_its_names_and_does_not_outrank_them(names: TrialSearch) -> None:
    # An abbreviation says less than a name written out, so a trial that writes the name is worth no less.
    results = names.search("SSc")
    assert set(full(results)) == {ONE, TWO, THREE}
    assert {hit.id: hit.why[0].how for hit in results} == {ONE: "synonym", TWO: "synonym", THREE: "typed"}
    scores = {hit.id: hit.score for hit in results}
    assert scores[TWO] >= scores[THREE]
    assert full(names.search("SSc", synonyms=False)) == [THREE]


def test_a_misspelt_drug_is_found_and_said(names: TrialSearch) -> None:
    (hit,) = names.search("cyclofosfamide")
    assert hit.id == ONE
    assert str(hit.why[0]) == "cyclofosfamide: spelling cyclophosphamide (InterventionName)"
    assert hit.snippets[0].text == "cyclophosphamide"
    typed = names.search("cyclophosphamide")[0]
    assert hit.score < typed.score
    assert len(names.search("cyclofosfamide", fuzzy=False)) == 0


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("IL-2", [TWO]),
        ("il2", [TWO]),
        ("IL 2", [TWO]),
        ("interleukin-2", [TWO]),
        ("IL-12", [FOUR]),
        ("il12", [FOUR]),
        ("IL-1", []),
        ("relapsed ALL", ["NCT00000005"]),
        ("relapsed all", ["NCT00000005", "NCT00000006"]),
        ("cond:ALL", ["NCT00000005"]),
    ],
)
def test_numbers_are_not_bent_and_acronyms_are_kept(names: TrialSearch, query: str, found: list[str]) -> None:
    assert sorted(full(names.search(query))) == found


def test_did_you_mean_offers_the_nearest_names_that_the_index_has(names: TrialSearch) -> None:
    results = names.search("cyclofosfamide lupus", fuzzy=False)
    assert results.did_you_mean == ("cyclophosphamide lupus",)
    results = names.search("gout", intr="cyclofosfamide", fuzzy=False)
    assert results.did_you_mean == ("intr: cyclophosphamide",)
    results = names.search('title:cyclofosfamide OR "x"', fuzzy=False)
    assert results.did_you_mean == ('title:cyclophosphamide OR "x"',)
    assert names.search("cyclophosphamide").did_you_mean == ()
    assert names.search("qqqqqqq").did_you_mean == ()


def test_did_you_mean_offers_nothing_that_finds_nothing(names: TrialSearch) -> None:
    # The second word stays one that no trial has.
    assert names.search("cyclofosfamide qqqqqqq", fuzzy=False).did_you_mean == ()
    found = names.search("cyclofosfamide OR qqqqqqq", fuzzy=False)
    assert found.did_you_mean == ("cyclophosphamide OR qqqqqqq",)


def test_notes_tell_what_was_left_out_or_is_ambiguous(names: TrialSearch) -> None:
    assert names.search("gout").notes == ()
    assert "the" in names.search("the").notes[0]
    assert names.search("the").total == 0
    # Function words beside others ask nothing: neither more nor fewer trials.
    assert full(names.search('"gout" and "study"')) == [FOUR]
    assert full(names.search("gout", title="the")) == [FOUR]


def test_prefixes_show_what_they_found(names: TrialSearch) -> None:
    (hit,) = names.search("cycloph*")
    assert hit.why[0].asked == "cycloph*"
    assert hit.snippets[0].text[slice(*hit.snippets[0].spans[0])] == "cyclophosphamide"


def test_similar(names: TrialSearch) -> None:
    results = names.similar(TWO)
    assert TWO not in ids(results)
    assert len(results) == results.total
    assert names.similar(TWO, limit=0).total == results.total
    with pytest.raises(KeyError):
        names.similar("NCT99999999")


def test_text_of_references_and_of_related_trials_is_nobodys(tmp_path: Path) -> None:
    page = study(ONE, BriefTitle="gout", ReferenceCitation=["zab in the mouse"])
    page["sourceSection"] = {
        "relatedTrials": [{"nctId": TWO, "title": "kad for lupus", "conditions": ["mof"]}],
    }
    with open_index(tmp_path / "index", [page, study(THREE, BriefTitle="zab kad mof lupus")]) as trials:
        for word in ("zab", "kad", "mof", "lupus", TWO):
            for everywhere in (False, True):
                found = trials.search(word, everywhere=everywhere, synonyms=False, limit=None)
                assert ONE not in ids(found)
                assert found.elsewhere == 0
        assert ids(trials.search("gout")) == [ONE]
        assert TWO not in trials


def test_no_phrase_spans_two_values(tmp_path: Path) -> None:
    studies = [
        study(ONE, Condition=["systemic zab", "kad lupus"]),
        study(TWO, Condition=["zab kad"]),
    ]
    with open_index(tmp_path / "index", studies) as trials:
        assert full(trials.search('"zab kad"')) == [TWO]
        assert full(trials.search("zab kad")) == [TWO, ONE]


def test_a_missing_bound_does_not_exclude_a_patient(tmp_path: Path) -> None:
    studies = [
        study(ONE, MinimumAge="18 Years"),
        study(TWO, MaximumAge="17 Years"),
        study(THREE),
        study(FOUR, MinimumAge="6 Months", MaximumAge="2 Years"),
    ]
    with open_index(tmp_path / "index", studies) as trials:
        assert full(trials.search(age=34)) == [ONE, THREE]
        assert full(trials.search(age=17)) == [TWO, THREE]
        assert full(trials.search(age="8 months")) == [TWO, THREE, FOUR]
        assert full(trials.search(age="5 months")) == [TWO, THREE]
        assert full(trials.search("AREA[MinimumAge]MISSING")) == [TWO, THREE]


def test_sex_is_that_of_a_patient(tmp_path: Path) -> None:
    studies = [study(ONE, Sex="FEMALE"), study(TWO, Sex="MALE"), study(THREE, Sex="ALL"), study(FOUR)]
    with open_index(tmp_path / "index", studies) as trials:
        assert full(trials.search(sex="female")) == [ONE, THREE]
        assert full(trials.search(sex="M" + "ale")) == [TWO, THREE]
        assert full(trials.search(sex="all")) == [THREE]
        # In an expression the code is taken as it stands, as the registry does.
        assert full(trials.search("AREA[Sex]ALL")) == [THREE]
        assert full(trials.search("AREA[Sex]MISSING")) == [FOUR]


def test_phase_not_applicable_is_not_no_phase(tmp_path: Path) -> None:
    studies = [study(ONE, Phase=["NA"]), study(TWO), study(THREE, Phase=["PHASE1", "PHASE2"])]
    with open_index(tmp_path / "index", studies) as trials:
        assert full(trials.search(phase="NA")) == [ONE]
        assert full(trials.search("AREA[Phase]MISSING")) == [TWO]
        assert full(trials.search(phase=1)) == full(trials.search(phase=2)) == [THREE]


def test_trials_by_id_and_by_former_id(tmp_path: Path) -> None:
    studies = [study(ONE, BriefTitle="gout", NCTIdAlias=["NCT00000999"]), study(TWO, BriefTitle="lupus")]
    with open_index(tmp_path / "index", studies) as trials:
        assert trials[ONE].nct_id == trials["NCT00000999"].nct_id == trials[" nct00000001 "].nct_id == ONE
        assert ONE in trials
        assert "NCT00000999" in trials
        assert "NCT00000003" not in trials
        assert 7 not in trials
        with pytest.raises(KeyError, match="NCT00000003"):
            trials["NCT00000003"]
        assert full(trials.search("NCT00000999")) == [ONE]
        assert full(trials.search(id="nct00000999")) == [ONE]
        assert len(trials) == 2


def test_no_index_is_said_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(IndexMissing, match="trialsearch index"):
        TrialSearch.open(tmp_path / "nowhere")
    with pytest.raises(IndexMissing):
        TrialSearch.open(tmp_path)


def test_where_the_index_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRIALSEARCH_INDEX", str(tmp_path / "named"))
    assert default_index() == tmp_path / "named"
    monkeypatch.delenv("TRIALSEARCH_INDEX")
    assert default_index().parts[-2:] == ("trialsearch", "index")
    (tmp_path / "index").mkdir()
    assert default_index() == Path("index")


def test_an_empty_index_answers(tmp_path: Path) -> None:
    with open_index(tmp_path / "index", []) as trials:
        assert len(trials) == 0
        assert list(trials.search("lupus OR zab*", phase=2)) == []
        assert trials.search("lupus").steps[0].alone == 0
        assert trials.suggest("l") == []


def test_a_new_commit_is_seen_on_the_next_search_and_old_results_go_on(tmp_path: Path) -> None:
    folder = make_index(tmp_path / "index", [study(ONE, BriefTitle="zab one")])
    with TrialSearch.open(folder) as trials:
        before = trials.search("zab")
        assert ids(before) == [ONE]
        assert trials.suggest("kad") == []
        make_index(
            folder, [study(ONE, BriefTitle="zab new"), study(TWO, BriefTitle="zab", Condition=["kad"])]
        )
        after = trials.search("zab")
        assert sorted(ids(after)) == [ONE, TWO]
        assert [one.name for one in trials.suggest("kad")] == ["kad"]
        # What was found before is looked at only now.
        assert before[0].trial.title == "zab one"
        assert before[0].snippets or before[0].why
        assert trials[ONE].title == "zab new"


def test_threads_get_the_answers_that_one_gets(corpus_index: Path) -> None:
    queries = ["lupus", "SSc", "stem cell*", '"lupus nephritis"', "phase:2 cancer", "cyclofosfamide", "zzzz"]

    trials = TrialSearch.open(corpus_index)

    def answer(query: str) -> tuple[object, ...]:
        results = trials.search(query, limit=5)
        first = (results[0].trial.title, results[0].why, results[0].snippets) if results else ()
        return ids(results), results.total, results.partial_total, first

    alone = [answer(query) for query in queries]
    different: list[str] = []
    finished: list[int] = []

    def work(number: int) -> None:
        for turn in range(50):
            which = (number + turn) % len(queries)
            if answer(queries[which]) != alone[which]:
                different.append(queries[which])
        finished.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert different == []
    assert sorted(finished) == list(range(8))
    trials.close()

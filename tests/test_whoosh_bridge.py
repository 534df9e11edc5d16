"""The bridge: our index as a Whoosh index, and queries from one tree to the other."""

from __future__ import annotations

import ast
import pickle
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from whoosh import fields, matching, query, reading, scoring, searching, sorting
from whoosh.filedb.filestore import RamStorage
from whoosh.qparser import FuzzyTermPlugin, MultifieldParser, QueryParser
from whoosh.util.numeric import byte_to_length, length_to_byte

from helpers import ROOT
from small import make_index, study
from trialindex.dates import Age
from trialindex.errors import IndexDamaged, IndexMissing, QueryError, TrialError
from trialindex.snapshot import Snapshot
from trialindex.storage import Writer
from trialsearch import TrialSearch
from trialsearch import query as ours
from trialsearch.query import (
    And,
    Best,
    Boost,
    Code,
    Fuzzy,
    In,
    Missing,
    Name,
    Near,
    Not,
    Nothing,
    Optional,
    Or,
    Prefix,
    Range,
    Term,
    Way,
    Wildcard,
)
from trialsearch.ranking import K1, B
from trialsearch.whoosh_bridge import (
    TrialIndex,
    TrialReader,
    Untranslatable,
    Weighting,
    from_whoosh,
    open_index,
    schema,
    search,
    sound,
    to_whoosh,
)
from trialsearch.whoosh_postings import PostingsMatcher, TermList
from trialsearch.whoosh_sound import AnyBest, Meant, Selecting, Weighted, Wished, Without

ONE, TWO, THREE, FOUR = (f"NCT0000000{number}" for number in range(1, 5))
STUDIES = [
    study(
        ONE,
        BriefTitle="Lupus nephritis and stem cells",
        BriefSummary="Stem cells in lupus. IL-2 is given to all.",
        Condition=["Lupus Nephritis", "Kidney failure"],
        Phase=["PHASE1", "PHASE2"],
        OverallStatus="RECRUITING",
        Sex="ALL",
        HasResults=True,
        StartDate="2012-02",
        EnrollmentCount=40,
        MinimumAge="18 Years",
        LocationCountry=["France", "United States"],
    ),
    study(
        TWO,
        BriefTitle="Asthma in children",
        Condition=["Asthma"],
        Phase=["PHASE2"],
        OverallStatus="COMPLETED",
        Sex="FEMALE",
        HasResults=False,
        StartDate="2010-05-01",
        EnrollmentCount=7,
        LocationCountry=["France"],
    ),
    study(
        THREE,
        BriefTitle="Quality of life with lupus: a study of lupus",
        Condition=["lupus nephritis"],
        OverallStatus="RECRUITING",
        StartDate="2013",
        EnrollmentCount=500,
    ),
    study(FOUR, BriefTitle="Gout"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_index(tmp_path_factory.mktemp("bridge") / "index", STUDIES)


@pytest.fixture(scope="module")
def searcher(folder: Path) -> Iterator[Any]:
    with open_index(folder).searcher() as opened:
        yield opened


def stock(searcher: Any) -> Any:
    """Return Whoosh's own searcher over the same reader."""
    return searching.Searcher(searcher.reader(), weighting=Weighting())


def keys(results: Any) -> list[str]:
    return [hit["Key"] for hit in results]


def parsed(text: str, field: str = "BasicSearch") -> Any:
    return QueryParser(field, schema()).parse(text)


def found(searcher: Any, text: str, **options: Any) -> set[str]:
    return set(keys(searcher.search(parsed(text), limit=None, **options)))


# The reader against an index that Whoosh wrote itself

WORDS = "lupus asthma IL-2 il2 the of AIDS children's Oedema β-blockers 12-week phase II zab".split()
TEXTS = st.lists(st.lists(st.sampled_from(WORDS), max_size=9).map(" ".join), min_size=1, max_size=12)


@settings(max_examples=40, deadline=None)
@given(titles=TEXTS, summaries=TEXTS, gone=st.sets(st.integers(0, 11), max_size=3))
def test_the_reader_holds_what_whoosh_itself_would(
    tmp_path_factory: pytest.TempPathFactory, titles: list[str], summaries: list[str], gone: set[int]
) -> None:
    names = {"BriefTitle": titles, "BriefSummary": summaries}
    held = schema()
    whoosh = RamStorage().create_index(fields.Schema(Key=fields.ID, **{name: held[name] for name in names}))
    folder = tmp_path_factory.mktemp("same") / "index"
    with whoosh.writer() as theirs, Writer(folder, merge=False) as writer:
        for number in range(len(titles)):
            texts = {
                name: texts[number] for name, texts in names.items() if number < len(texts) and texts[number]
            }
            key = f"NCT{number:08}"
            theirs.add_document(Key=key, **texts)
            writer.put(key, study(key, **texts))
            if number % 4 == 3:
                writer.commit()
    with whoosh.writer() as theirs, Writer(folder, merge=False) as writer:
        for number in gone & set(range(len(titles))):
            theirs.delete_document(number)
            writer.delete(f"NCT{number:08}")
    if set(range(len(titles))) <= gone:
        return  # with nothing left Whoosh and we drop the segments
    reader = open_index(folder).reader()
    if reader.doc_count_all() != len(titles):
        return  # a segment of nothing but deletions was dropped: numbers no longer correspond
    with whoosh.reader() as other:
        assert reader.doc_count() == other.doc_count() and reader.has_deletions() == other.has_deletions()
        assert list(reader.all_doc_ids()) == list(other.all_doc_ids())
        for name in names:
            terms = list(other.lexicon(name))
            assert list(reader.lexicon(name)) == terms
            assert reader.field_length(name) == other.field_length(name)
            for doc in range(len(titles)):
                length = reader.doc_field_length(doc, name)
                assert in_a_byte(length) == (other.doc_field_length(doc, name) or 0)
            for term in terms:
                assert (name, term) in reader and (name, term) in other
                assert everything(reader, name, term) == everything(other, name, term)
                assert list(reader.terms_from(name, term)) == [
                    (name, after) for after in terms[terms.index(term) :]
                ]
    reader.close()


def in_a_byte(length: float) -> int:
    """Return a length as Whoosh writes it, exact up to ten."""
    kept: int = byte_to_length(length_to_byte(int(length)))
    return kept


def everything(reader: Any, field: str, term: bytes) -> Any:
    """Return all that a reader says of a term: statistics and postings."""
    info = reader.term_info(field, term)
    matcher = reader.postings(field, term)
    held = []
    while matcher.is_active():
        held.append((matcher.id(), matcher.weight(), matcher.value_as("positions"), matcher.spans()))
        matcher.next()
    lengths = in_a_byte(info.min_length()), in_a_byte(info.max_length())
    return (
        info.weight(), info.doc_frequency(), info.max_weight(), lengths, info.min_id(), info.max_id(),
        reader.frequency(field, term), reader.doc_frequency(field, term), held,
    )  # fmt: skip


# The postings matcher


class Lengths:
    """A scorer: the weight over the length, with bounds as Whoosh's own scorers give them."""

    def __init__(self, weights: list[float], lengths: list[float]) -> None:
        self._weights, self._lengths = weights, lengths

    def supports_block_quality(self) -> bool:
        return True

    def score(self, matcher: Any) -> float:
        return matcher.weight() / self._lengths[matcher.id()]

    def max_quality(self) -> float:
        return max(self._weights) / min(self._lengths)

    def block_quality(self, matcher: Any) -> float:
        return float(matcher.block_max_weight() / matcher.block_min_length())


def matcher_over(docs: list[int], weights: list[float], lengths: list[float]) -> PostingsMatcher:
    held = TermList(np.array(docs, np.uint32), np.array(weights))
    scorer = Lengths(weights, lengths)
    return PostingsMatcher(
        ("BriefTitle", b"zab"), held, np.array(lengths), None, schema()["Country"].format, scorer
    )


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 2000), min_size=1, max_size=600, unique=True).map(sorted),
    st.randoms(use_true_random=False),
    st.floats(0, 1.2),
    st.lists(st.integers(0, 2100), max_size=8).map(sorted),
)
def test_a_matcher_skips_by_document_and_by_quality(
    docs: list[int], choose: Any, least: float, stops: list[int]
) -> None:
    weights = [float(choose.randint(1, 3)) for _ in docs]
    lengths = [float(choose.randint(1, 40)) for _ in range(2001)]
    walked = matcher_over(docs, weights, lengths)
    for stop in stops:
        if walked.is_active():
            copy = walked.copy()
            copy.skip_to(stop)
            while walked.is_active() and walked.id() < stop:
                walked.next()
            assert copy.is_active() == walked.is_active()
            assert not copy.is_active() or copy.id() == walked.id()
    # Nothing that scores more than the least is left out, whatever is skipped.
    skipping = matcher_over(docs, weights, lengths)
    reached = set()
    while skipping.is_active():
        skipping.skip_to_quality(least)
        if skipping.is_active():
            reached.add(skipping.id())
            assert skipping.score() <= skipping.block_quality() <= skipping.max_quality()
            skipping.next()
    better = {doc for doc, weight in zip(docs, weights, strict=True) if weight / lengths[doc] > least}
    assert better <= reached
    assert skipping.block_quality() == 0.0
    with pytest.raises(matching.ReadTooFar):
        skipping.next()
    with pytest.raises(matching.ReadTooFar):
        skipping.skip_to(0)


def test_a_matcher_without_scorer_scores_its_weight_and_has_no_quality(searcher: Any) -> None:
    matcher = searcher.reader().postings("BriefTitle", "lupus")
    assert [(matcher.id(), matcher.score()), list(matcher.all_ids())] == [(0, 1.0), [0, 2]]
    assert not matcher.supports_block_quality()
    assert [(doc, places) for doc, places in matcher.items_as("positions")] == [(0, [0]), (2, [4, 8])]
    assert not matcher.is_active()
    matcher.reset()
    assert schema()["BriefTitle"].format.decode_positions(matcher.value()) == [0]
    with pytest.raises(QueryError, match="characters"):
        matcher.value_as("characters")
    names = searcher.reader().postings("Country", "France")
    assert names.value() == b"" and names.value_as("frequency") == 1
    with pytest.raises(QueryError, match="no positions"):
        names.value_as("positions")


# What each kind of field holds


def test_the_schema() -> None:
    held = schema()
    assert held["Key"].unique and held["Key"].stored and "Record" in held
    assert held["BriefTitle"].supports("positions") and held["BriefTitle"].stored
    assert held["BasicSearch"].scorable and not held["BasicSearch"].stored
    assert not held["Country"].scorable
    assert isinstance(held["StartDate"], fields.DATETIME) and isinstance(held["MinimumAge"], fields.NUMERIC)


def test_the_terms_of_each_kind_of_field(searcher: Any) -> None:
    reader = searcher.reader()

    def terms(field: str) -> list[Any]:
        return list(reader.field_terms(field))

    assert terms("Phase") == ["1", "2", "PHASE1", "PHASE2", "phase", "phase1", "phase2"]
    assert terms("Sex") == ["ALL", "FEMALE", "femal"]
    assert terms("HasResults") == ["false", "true"]
    assert terms("Country") == ["france", "united states"]
    assert terms("ConditionName") == ["asthma", "kidney failure", "lupus nephritis"]
    assert terms("AnyId") == terms("Key") == [ONE, TWO, THREE, FOUR]
    assert terms("EnrollmentCount") == [7.0, 40.0, 500.0]
    assert terms("MinimumAge") == [18 * 365.25]
    days = terms("StartDate")
    assert days[:3] == [datetime(2010, 5, 1), datetime(2012, 2, 1), datetime(2012, 2, 2)]
    assert len(days) == 1 + 29 + 365 and days[-1] == datetime(2013, 12, 31)
    assert ("Phase", "PHASE3") not in reader and ("Phase", "PHASE1") in reader
    assert (
        ("BriefTitle", "zzz") not in reader
        and ("Nowhere", "x") not in reader
        and ("Record", "x") not in reader
    )
    assert [(term, info.doc_frequency()) for term, info in reader.iter_field("Phase", "PHASE")] == [
        (b"PHASE1", 1),
        (b"PHASE2", 2),
        (b"phase", 2),
        (b"phase1", 1),
        (b"phase2", 2),
    ]
    assert [term for term, _ in reader.iter_prefix("Phase", "PHASE")] == [b"PHASE1", b"PHASE2"]
    assert reader.first_id("Country", "usa") == 0
    every = list(reader.all_terms())
    assert every == sorted(every) and ("Phase", b"PHASE1") in every and ("BriefTitle", b"gout") in every
    assert not any(name in {"BasicSearch", "Record"} for name, _ in every)


def test_a_country_and_a_name_are_found_however_they_are_written(searcher: Any) -> None:
    for text, expected in {
        'Country:"United States"': {ONE},
        "Country:usa": {ONE},
        "Country:FRANCE": {ONE, TWO},
        "Country:spain": set(),
        'ConditionName:"Lupus  Nephritis"': {ONE, THREE},
        "ConditionName:lupus": set(),
        f"AnyId:{ONE.lower()}": {ONE},
        f"Key:{ONE.lower()}": {ONE},
        "Key:NCT99999999": set(),
    }.items():
        assert found(searcher, text) == expected, text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("lupus", {ONE, THREE}),
        ("LUPUS cells", {ONE}),
        ("lupus OR asthma", {ONE, TWO, THREE}),
        ("lupus NOT nephritis", {THREE} - {THREE}),
        ("BriefTitle:lupus NOT BriefTitle:nephritis", {THREE}),
        ('"stem cells"', {ONE}),
        ('"cells stem"', set()),
        ('BriefTitle:"lupus stem"', set()),
        ('BriefTitle:"lupus stem"~3', {ONE}),
        ("IL-2", {ONE}),
        ("il2", {ONE}),
        ("IL-12", set()),
        ("nephr*", {ONE, THREE}),
        ("child*", {TWO}),
        ("BriefTitle:*oedem*", set()),
        ("BriefTitle:g?ut", {FOUR}),
        ("Phase:PHASE2", {ONE, TWO}),
        ("Phase:PHASE1 Phase:PHASE2", {ONE}),
        ('Phase:"phase 1"', {ONE}),
        ("Phase:phase", {ONE, TWO}),
        ("OverallStatus:Recruiting", {ONE, THREE}),
        ("Sex:ALL", {ONE}),
        ("HasResults:true", {ONE}),
        ("StartDate:2012", {ONE}),
        ("StartDate:20120214", {ONE}),
        ("StartDate:[2012 TO 20130101]", {ONE, THREE}),
        ("StartDate:[20130601 TO]", {THREE}),
        ("StartDate:[TO 20111231]", {TWO}),
        ("EnrollmentCount:40", {ONE}),
        ("EnrollmentCount:[8 TO 500]", {ONE, THREE}),
        ("EnrollmentCount:{7 TO 500}", {ONE}),
        ("EnrollmentCount:[TO 7]", {TWO}),
        ("MinimumAge:[6574 TO 6575]", {ONE}),
        ("Phase:*", {ONE, TWO}),
        ("*", {ONE, TWO, THREE, FOUR}),
        ("zzz", set()),
        ("TitleSearch:gout", {FOUR}),
        ("BriefTitle:[asthma TO gout]", {ONE, TWO, FOUR}),
        ("BriefTitle:{asthma TO cell}", set()),
    ],
)
def test_what_a_parsed_query_finds_by_whoosh_and_by_us(searcher: Any, text: str, expected: set[str]) -> None:
    asked = parsed(text)
    assert found(searcher, text) == expected
    assert found(searcher, text, terms=True) == expected
    answer = search(searcher.reader().snapshot, asked, None)
    assert ({key for key, _ in answer.hits}, answer.total) == (expected, len(expected))


def test_other_parsers(searcher: Any) -> None:
    several = MultifieldParser(["BriefTitle", "Condition"], schema(), fieldboosts={"BriefTitle": 3.0})
    assert keys(searcher.search(several.parse("asthma"))) == [TWO]
    fuzzy = QueryParser("BriefTitle", schema())
    fuzzy.add_plugin(FuzzyTermPlugin())
    assert set(keys(searcher.search(fuzzy.parse("lupis~")))) == {ONE, THREE}
    assert keys(searcher.search(fuzzy.parse("lupis"))) == []


def test_a_function_word_is_no_term_but_keeps_its_place(searcher: Any) -> None:
    assert found(searcher, 'BriefTitle:"quality of life"') == set()
    assert found(searcher, 'BriefTitle:"quality of life"~2') == {THREE}
    assert parsed("the") == query.NullQuery


# Sorting, grouping, paging, highlighting


def test_sorting(searcher: Any) -> None:
    def by(facet: Any, **options: Any) -> list[str]:
        return keys(searcher.search(query.Every(), sortedby=facet, limit=None, **options))

    assert by("StartDate") == [TWO, ONE, THREE, FOUR]
    assert by(sorting.FieldFacet("StartDate", reverse=True)) == [THREE, ONE, TWO, FOUR]
    assert by("EnrollmentCount") == [TWO, ONE, THREE, FOUR]
    assert by(sorting.FieldFacet("EnrollmentCount", reverse=True)) == [THREE, ONE, TWO, FOUR]
    assert by("Key", reverse=True) == [FOUR, THREE, TWO, ONE]
    assert by([sorting.FieldFacet("Phase"), "Key"]) == [THREE, FOUR, ONE, TWO]
    assert by([sorting.FieldFacet("Phase", reverse=True), "Key"]) == [TWO, ONE, THREE, FOUR]


def test_grouping(searcher: Any) -> None:
    def groups(facet: Any) -> dict[Any, list[int]]:
        return dict(searcher.search(query.Every(), groupedby=facet, limit=None).groups())

    assert groups("OverallStatus") == {"RECRUITING": [0, 2], "COMPLETED": [1], None: [3]}
    assert groups("Phase") == {"PHASE1, PHASE2": [0], "PHASE2": [1], None: [2, 3]}
    assert groups(sorting.FieldFacet("Phase", allow_overlap=True)) == {"PHASE1": [0], "PHASE2": [0, 1]}
    assert groups(sorting.FieldFacet("Country", allow_overlap=True)) == {
        "france": [0, 1],
        "united states": [0],
        None: [2, 3],
    }
    assert groups("EnrollmentCount") == {40.0: [0], 7.0: [1], 500.0: [2], None: [3]}
    assert groups("StartDate")[datetime(2012, 2, 1)] == [0]
    assert groups(sorting.RangeFacet("EnrollmentCount", 0, 100, 50)) == {(0, 50): [0, 1], None: [2, 3]}
    assert groups(sorting.QueryFacet({"sick": query.Term("BriefTitle", "lupus")})) == {
        "sick": [0, 2],
        None: [1, 3],
    }


def test_what_has_no_column(searcher: Any) -> None:
    reader = searcher.reader()
    assert not reader.has_column("BriefTitle") and not reader.has_column("Nowhere")
    with pytest.raises(QueryError, match="no column"):
        reader.column_reader("BriefTitle")
    assert list(reader.column_reader("Phase")) == ["PHASE1, PHASE2", "PHASE2", None, None]
    assert len(reader.column_reader("Key", translate=False)) == 4


def test_pages_filters_and_masks(searcher: Any) -> None:
    page = searcher.search_page(query.Every(), 2, pagelen=3, sortedby="Key")
    assert (page.pagecount, page.total, [hit["Key"] for hit in page]) == (2, 4, [FOUR])
    assert found(searcher, "BriefTitle:lupus", filter=query.Term("Phase", "PHASE2")) == {ONE}
    assert found(searcher, "BriefTitle:lupus", mask=query.Term("Phase", "PHASE2")) == {THREE}
    collapsed = searcher.search(query.Every(), collapse="OverallStatus", collapse_limit=1, limit=None)
    assert set(keys(collapsed)) >= {ONE, TWO, FOUR} and THREE not in keys(collapsed)


def test_hits_highlights_and_matched_terms(searcher: Any) -> None:
    results = searcher.search(parsed("BriefTitle:lupus OR BriefSummary:il2"), terms=True)
    hits = {hit["Key"]: hit for hit in results}
    assert set(hits) == {ONE, THREE}
    one = hits[ONE]
    assert one["BriefTitle"] == "Lupus nephritis and stem cells"
    assert one["Condition"] == "Lupus Nephritis\nKidney failure"
    assert one["Phase"] == "PHASE1, PHASE2" and one["StartDate"] == datetime(2012, 2, 1)
    assert one["Record"]["protocolSection"]["identificationModule"]["nctId"] == ONE
    assert one.highlights("BriefTitle").startswith('<b class="match term')
    assert ">Lupus</b> nephritis" in one.highlights("BriefTitle")
    # A word of several atoms is asked as a phrase of them.
    assert one.highlights("BriefSummary").count("</b>") == 2
    assert ">2</b> is given" in one.highlights("BriefSummary")
    assert set(one.matched_terms()) == {
        ("BriefTitle", b"lupus"),
        ("BriefSummary", b"il"),
        ("BriefSummary", b"2"),
    }
    assert hits[THREE].highlights("BriefTitle").count("</b>") == 2
    with pytest.raises(KeyError):
        hits[THREE].highlights("BriefSummary")
    with pytest.raises(KeyError):
        one["Nowhere"]
    # The parts that a query of ours selects by keep their words.
    turned = to_whoosh(And((In("BriefTitle", Term("lupus")), Code("Phase", "PHASE1"))))
    assert ">Lupus</b>" in searcher.search(turned, terms=True)[0].highlights("BriefTitle")


def test_stored_fields_are_those_that_have_a_value(searcher: Any) -> None:
    stored = searcher.stored_fields(3)
    assert dict(stored) == {"Key": FOUR, "Record": STUDIES[3], "BriefTitle": "Gout", "NCTId": FOUR}
    assert len(stored) == 4 and stored.get("BriefSummary") is None
    assert searcher.document(Key=TWO)["BriefTitle"] == "Asthma in children"
    assert searcher.document(Key="NCT99999999") is None
    assert searcher.document_number(Key=THREE) == 2
    assert [held["Key"] for held in searcher.all_stored_fields()] == [ONE, TWO, THREE, FOUR]


def test_spelling_and_likeness(searcher: Any) -> None:
    assert searcher.suggest("BriefTitle", "lupis") == ["lupus"]
    assert searcher.suggest("BriefTitle", "zzzzzz") == []
    assert searcher.correct_query(parsed("BriefTitle:lupis"), "BriefTitle:lupis").string == "BriefTitle:lupus"
    assert keys(searcher.more_like(0, "BriefTitle")) == [THREE]
    assert searcher.reader().most_frequent_terms("BriefTitle", 1) == [(3.0, b"lupus")]
    assert not searcher.reader().has_vector(0, "BriefTitle")
    with pytest.raises(KeyError, match="vectors"):
        searcher.reader().vector(0, "BriefTitle")


# The index


def test_the_index_sees_commits_and_its_readers_do_not(tmp_path: Path) -> None:
    folder = make_index(tmp_path / "index", STUDIES[:2])
    index = open_index(str(folder))
    assert (index.doc_count(), index.latest_generation(), index.is_empty()) == (2, 1, False)
    assert index.up_to_date() and index.refresh() is index and index.last_modified() > 0
    searcher = index.searcher()
    assert searcher.up_to_date() and searcher.refresh() is searcher
    with Writer(folder, merge=False) as writer:
        writer.put(THREE, STUDIES[2])
        writer.delete(ONE)
    assert not index.up_to_date() and not searcher.up_to_date()
    assert index.refresh().up_to_date() and index.refresh() is not index
    assert set(keys(searcher.search(query.Every()))) == {ONE, TWO}
    fresh = searcher.refresh()
    assert set(keys(fresh.search(query.Every()))) == {TWO, THREE}
    assert keys(fresh.search(parsed("lupus"))) == [THREE]
    assert keys(fresh.search(query.Not(query.Term("BriefTitle", "lupus")))) == [TWO]
    assert fresh.reader().is_deleted(0) and not fresh.reader().is_deleted(1)
    assert (index.doc_count(), index.doc_count_all()) == (2, 3)
    # As Whoosh does, statistics count a deleted document until its segment is merged.
    assert fresh.doc_frequency("BriefTitle", "lupus") == 2
    with pytest.raises(reading.ReaderClosed):
        searcher.search(query.Every())
    fresh.close()
    with pytest.raises(reading.ReaderClosed):
        fresh.reader().doc_count()


def test_a_reader_is_used_again_where_nothing_was_committed(folder: Path) -> None:
    index = open_index(folder)
    reader = index.reader()
    assert index.reader(reuse=reader) is reader
    reader.close()
    reader.close()
    assert index.reader(reuse=reader) is not reader


def test_an_empty_index(tmp_path: Path) -> None:
    with Writer(tmp_path / "index"):
        pass
    index = open_index(tmp_path / "index")
    assert index.is_empty() and index.doc_count() == 0
    with index.searcher() as searcher:
        assert len(searcher.search(query.Every())) == 0
        assert len(searcher.search(parsed("lupus Phase:PHASE1 StartDate:2012"))) == 0
        assert searcher.reader().field_length("BriefTitle") == 0.0
        assert searcher.reader().min_field_length("BriefTitle") == 0.0
        assert search(searcher.reader().snapshot, query.Term("BriefTitle", "lupus")).total == 0


def test_it_is_read_only(folder: Path) -> None:
    index = open_index(folder)
    before = sorted(path.name for path in folder.iterdir())
    for write in (
        index.writer,
        index.optimize,
        lambda: index.delete_by_term("Key", ONE),
        lambda: index.delete_by_query(query.Every()),
        lambda: index.add_field("more", fields.TEXT()),
        lambda: index.remove_field("BriefTitle"),
    ):
        with pytest.raises(TrialError, match="read only"):
            write()
    assert sorted(path.name for path in folder.iterdir()) == before
    assert repr(index) == f"TrialIndex({str(folder)!r})" and isinstance(index, TrialIndex)


def test_no_index_and_a_damaged_one(tmp_path: Path) -> None:
    with pytest.raises(IndexMissing, match="trialsearch index"):
        open_index(tmp_path)
    folder = make_index(tmp_path / "index", STUDIES)
    (folder / "trialsearch.json").write_text("{}")
    with pytest.raises(IndexDamaged):
        open_index(folder)


def test_unknown_fields_and_terms(searcher: Any) -> None:
    reader = searcher.reader()
    assert reader.doc_frequency("BriefTitle", "zzz") == 0 and reader.frequency("Country", "spain") == 0
    for field, term in (("BriefTitle", "zzz"), ("Nowhere", "lupus"), ("Country", "spain")):
        with pytest.raises(reading.TermNotFound):
            reader.postings(field, term)
        with pytest.raises(reading.TermNotFound):
            reader.term_info(field, term)
    with pytest.raises(reading.TermNotFound):
        list(reader.lexicon("Record"))
    assert reader.doc_field_length(0, "Country", 5) == 5
    assert reader.max_field_length("BriefTitle") == 5.0  # function words leave no term


def test_nothing_of_whooshs_own_files_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoosh's table of contents is a pickle, which runs what it says."""
    folder = make_index(tmp_path / "index", STUDIES)
    ran = tmp_path / "ran"

    class Hostile:
        def __reduce__(self) -> Any:
            return Path.touch, (ran,)

    for name in ("_MAIN_1.toc", "_MAIN_2.toc", "MAIN_abcdefgh.seg"):
        (folder / name).write_bytes(pickle.dumps(Hostile()))

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("something was unpickled")

    for name in ("load", "loads", "Unpickler"):
        monkeypatch.setattr(pickle, name, refuse)
    for name in ("whoosh.compat.loads", "whoosh.formats.loads", "whoosh.index.pickle.load"):
        monkeypatch.setattr(name, refuse, raising=False)
    with open_index(folder).searcher() as searcher:
        asked = parsed('lupus OR "stem cells" OR Phase:PHASE1 OR StartDate:2012 OR g*t')
        assert len(searcher.search(asked, groupedby="Phase", terms=True)) == 3
    assert not ran.exists()


def test_the_modules_name_nothing_that_opens_whooshs_files() -> None:
    modules = sorted((ROOT / "search/trialsearch").glob("whoosh_*.py"))
    assert len(modules) == 6
    nodes = [node for path in modules for node in ast.walk(ast.parse(path.read_text("utf-8")))]
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    names |= {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    names |= {
        alias.name for node in nodes if isinstance(node, ast.Import | ast.ImportFrom) for alias in node.names
    }
    assert not names & {
        "FileStorage",
        "FileIndex",
        "open_dir",
        "create_in",
        "loads",
        "load",
        "pickle",
        "Unpickler",
    }
    assert "Index" in names


# Scores


def test_whooshs_bm25_with_our_idf(searcher: Any) -> None:
    weighting = searcher.weighting
    assert isinstance(weighting, Weighting) and (weighting.B, weighting.K1) == (B, K1)
    # Two of four documents.
    assert searcher.idf("BriefTitle", "lupus") == pytest.approx(np.log(1 + 2.5 / 2.5))
    with TrialIndex(searcher.reader().snapshot.folder).searcher(weighting=scoring.TF_IDF()) as other:
        assert isinstance(other.weighting, scoring.TF_IDF)


# Queries from Whoosh's tree to ours

LUPUS, GOUT = query.Term("BriefTitle", "lupus"), query.Term("BriefTitle", "gout")
OUR_LUPUS, OUR_GOUT = In("BriefTitle", Term("lupus")), In("BriefTitle", Term("gout"))


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (LUPUS, OUR_LUPUS),
        (query.Term("BriefTitle", b"lupus"), OUR_LUPUS),
        (query.Term("BasicSearch", "lupus", boost=2.0), Boost(In("BasicSearch", Term("lupus")), 2.0)),
        (query.Term("Phase", "PHASE1"), Code("Phase", "PHASE1")),
        (query.Term("Phase", "phase"), In("Phase", Term("phase"))),
        (query.Term("HasResults", "true"), Code("HasResults", "true")),
        (query.Term("Country", "France"), Name("Country", "France")),
        (query.Term("EnrollmentCount", 5), Range("EnrollmentCount", "5.0", "5.0")),
        (query.Term("StartDate", datetime(2012, 2, 3)), Range("StartDate", "2012-02-03", "2012-02-03")),
        (query.Term("StartDate", datetime(2012, 2, 3, 4)), Nothing("")),
        (query.And([LUPUS, GOUT]), And((OUR_LUPUS, OUR_GOUT))),
        (query.And([LUPUS, query.And([GOUT, LUPUS])]), And((OUR_LUPUS, OUR_GOUT, OUR_LUPUS))),
        (query.And([LUPUS]), OUR_LUPUS),
        (query.And([]), Nothing("")),
        (query.Or([LUPUS, GOUT], boost=0.5), Boost(Or((OUR_LUPUS, OUR_GOUT)), 0.5)),
        (query.Not(LUPUS), Not(OUR_LUPUS)),
        (query.AndNot(LUPUS, GOUT), And((OUR_LUPUS, Not(OUR_GOUT)))),
        (query.AndMaybe(LUPUS, GOUT), Optional(OUR_LUPUS, OUR_GOUT)),
        (query.Require(LUPUS, GOUT), And((OUR_LUPUS, Boost(OUR_GOUT, 0.0)))),
        (
            query.DisjunctionMax([LUPUS, GOUT], tiebreak=0.5),
            Best(
                f"{OUR_LUPUS} | {OUR_GOUT}",
                (Way("typed", str(OUR_LUPUS), OUR_LUPUS), Way("typed", str(OUR_GOUT), OUR_GOUT)),
            ),
        ),
        (query.DisjunctionMax([]), Nothing("")),
        (query.ConstantScoreQuery(LUPUS, 3.0), Boost(OUR_LUPUS, 0.0)),
        (query.Every(), ours.All()),
        (query.Every("Key"), ours.All()),
        (query.Every("Phase"), Not(Missing("Phase"))),
        (query.NullQuery, Nothing("")),
        (query.Phrase("BriefTitle", ["stem", "cell"]), In("BriefTitle", Near(("stem", "cell")))),
        (query.Phrase("BriefTitle", ["stem", "cell"], slop=4), In("BriefTitle", Near(("stem", "cell"), 3))),
        (query.Phrase("BriefTitle", ["a", "b", "c"]), In("BriefTitle", Near(("a", "b", "c")))),
        (query.Phrase("BriefTitle", ["lupus"], boost=2.0), Boost(OUR_LUPUS, 2.0)),
        (query.Phrase("BriefTitle", []), Nothing("")),
        (query.Prefix("BriefTitle", "lup"), In("BriefTitle", Prefix("lup"))),
        (query.Prefix("BriefTitle", ""), Not(Missing("BriefTitle"))),
        (query.Wildcard("BriefTitle", "l?p*"), In("BriefTitle", Wildcard("l?p*"))),
        (query.Wildcard("BriefTitle", "*"), Not(Missing("BriefTitle"))),
        (query.FuzzyTerm("BriefTitle", "lupis", maxdist=2), In("BriefTitle", Fuzzy("lupis", 2, 1))),
        (query.NumericRange("EnrollmentCount", 5, None), Range("EnrollmentCount", "5.0", None)),
        (
            query.NumericRange("EnrollmentCount", 5, 7, startexcl=True, endexcl=True),
            Range("EnrollmentCount", "5.000000000000001", "6.999999999999999"),
        ),
        (
            query.DateRange("StartDate", datetime(2012, 2, 3), datetime(2013, 1, 1, 12)),
            Range("StartDate", "2012-02-03", "2013-01-01"),
        ),
        (
            query.DateRange("StartDate", datetime(2012, 2, 3, 1), datetime(2013, 1, 1), endexcl=True),
            Range("StartDate", "2012-02-04", "2012-12-31"),
        ),
        (
            query.DateRange("StartDate", datetime(2012, 2, 3), None, startexcl=True),
            Range("StartDate", "2012-02-04", None),
        ),
        (query.DateRange("StartDate", datetime(2013, 2, 3), datetime(2012, 1, 1)), Nothing("")),
        (query.TermRange("StartDate", "2012", "20130203"), Range("StartDate", "2012-01-01", "2013-02-03")),
        (query.TermRange("EnrollmentCount", "5", None), Range("EnrollmentCount", "5.0", None)),
    ],
)  # fmt: skip
def test_a_query_of_whoosh_turns(asked: Any, expected: ours.Query) -> None:
    assert from_whoosh(asked) == expected


def test_variations_are_any_of_the_words() -> None:
    turned = from_whoosh(query.Variations("BriefTitle", "render"))
    assert isinstance(turned, Or)
    assert {In("BriefTitle", Term("rendered")), In("BriefTitle", Term("render"))} <= set(turned.parts)


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        (query.Regex("BriefTitle", "l.*"), "Regex"),
        (query.TermRange("BriefTitle", "a", "b"), "TermRange in BriefTitle"),
        (query.Sequence([LUPUS, GOUT]), "Sequence"),
        (query.Otherwise(LUPUS, GOUT), "Otherwise"),
        (query.SpanNear2([LUPUS, GOUT]), "SpanNear2"),
        (query.Phrase("BriefTitle", ["a", "b", "c"], slop=2), "Phrase of 3 words with slop 2"),
        (query.Phrase("BriefTitle", ["a", "b"], slop=17), "slop 17"),
        (query.Phrase("Country", ["united", "states"]), "Phrase in Country"),
        (query.Prefix("Country", "united"), "Prefix in Country"),
        (query.Prefix("BriefTitle", "Lup"), "Prefix 'Lup'"),
        (query.Wildcard("BriefTitle", "[lg]*"), "Wildcard"),
        (query.FuzzyTerm("BriefTitle", "lupus", maxdist=3), "3 edits"),
        (query.Or([LUPUS, GOUT], scale=0.5), "scale"),
        (query.Term("Key", ONE), "Key"),
        (query.Every("BasicSearch"), "BasicSearch"),
        (query.Term("BriefTitle", "lupus", boost=-1.0), "-1.0"),
        (query.And([LUPUS, query.Not(query.Regex("BriefTitle", "x"))]), "Regex"),
        ("lupus", "str"),
    ],
)
def test_a_query_that_does_not_turn_is_named(asked: Any, named: str) -> None:
    with pytest.raises(Untranslatable, match=named):
        from_whoosh(asked)


def test_a_query_that_nobody_can_answer() -> None:
    with pytest.raises(QueryError, match="no field 'Nowhere'"):
        from_whoosh(query.Term("Nowhere", "x"))
    with pytest.raises(QueryError, match="no bound of StartDate"):
        from_whoosh(query.TermRange("StartDate", "soon", None))
    deep: Any = LUPUS
    for _ in range(5000):
        deep = query.Not(deep)
    with pytest.raises(QueryError, match="nested"):
        from_whoosh(deep)


# And back


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (Term("lupus"), query.Term("BasicSearch", "lupus")),
        (OUR_LUPUS, LUPUS),
        (And((OUR_LUPUS, OUR_GOUT)), query.And([LUPUS, GOUT])),
        (Or((OUR_LUPUS, OUR_GOUT)), query.Or([LUPUS, GOUT])),
        (Not(OUR_LUPUS), Without(LUPUS)),
        (ours.All(), Selecting(query.Every())),
        (Nothing("the"), query.NullQuery),
        (Code("Phase", "PHASE1"), Selecting(query.Term("Phase", "PHASE1"))),
        (Name("Country", "usa"), Selecting(query.Term("Country", "usa"))),
        (Missing("Phase"), Without(query.Every("Phase"))),
        (In("BriefTitle", Near(("stem", "cell"), 2)), query.Phrase("BriefTitle", ["stem", "cell"], slop=3)),
        (In("BriefTitle", Near(("lupus",))), LUPUS),
        (Boost(OUR_LUPUS, 2.0), Weighted(LUPUS, 2.0)),
        (Boost(OUR_LUPUS, 1.0), LUPUS),
        (Optional(OUR_LUPUS, OUR_GOUT), Wished(LUPUS, GOUT)),
        (
            Best("x", (Way("typed", "x", OUR_LUPUS), Way("synonym", "y", OUR_GOUT, 0.5))),
            AnyBest([LUPUS, Weighted(GOUT, 0.5)]),
        ),
        (In("BriefTitle", Prefix("lup")), Meant("BriefTitle", Prefix("lup"))),
        (
            Range("StartDate", "2012", None),
            Selecting(query.DateRange("StartDate", datetime(2012, 1, 1), None)),
        ),
        (
            Range("MinimumAge", None, "18 Years"),
            Selecting(query.NumericRange("MinimumAge", None, 18 * 365.25)),
        ),
    ],
)
def test_a_query_of_ours_turns(asked: ours.Query, expected: Any) -> None:
    turned = to_whoosh(asked)
    assert turned == expected and type(turned) is type(expected)
    if turned is not query.NullQuery:
        assert hash(turned) == hash(expected)


@pytest.mark.parametrize(
    "asked",
    [
        ours.Words("lupus"),
        ours.Phrase("lupus"),
        ours.AgeIs(Age(5, "year")),
        ours.Group((Term("a"), Term("b"))),
        ours.Within(("a", "b"), 5),
        Near(("a", "", "b")),
        Near(("a", "b", "c"), 1),
        Near(("a", "b"), 16),
        In("BasicSearch/headline", Term("a")),
        And((Term("a"), Not(ours.Words("b")))),
    ],
)
def test_a_query_of_ours_that_whoosh_has_nothing_for(asked: ours.Query) -> None:
    with pytest.raises(Untranslatable, match="Whoosh"):
        to_whoosh(asked)


# Asking


def test_search_says_who_answered(folder: Path) -> None:
    regex = query.And([query.Regex("BriefTitle", "lup.s|gout"), query.Term("OverallStatus", "RECRUITING")])
    with TrialSearch.open(folder) as trials:
        by_us = search(trials, query.Term("BriefTitle", "lupus"), limit=1)
        by_them = search(trials, regex)
        assert (by_us.by, by_us.total, [key for key, _ in by_us.hits]) == ("evaluator", 2, [THREE])
        assert (by_them.by, by_them.total) == ("matchers", 2)
        assert {key for key, _ in by_them.hits} == {ONE, THREE}
        assert search(trials, query.Term("Key", ONE)).by == "matchers"
        assert (
            search(
                trials, query.Sequence([query.Term("BriefTitle", "stem"), query.Term("BriefTitle", "cell")])
            ).total
            == 1
        )
    snapshot = Snapshot(folder)
    assert search(snapshot, query.Term("BriefTitle", "lupus"), limit=1) == by_us
    for wrong in (0, -1):
        with pytest.raises(QueryError, match="limit"):
            search(snapshot, LUPUS, limit=wrong)
    with pytest.raises(QueryError, match="no Whoosh query"):
        search(snapshot, "lupus")
    with pytest.raises(QueryError, match="no field"):
        search(snapshot, query.Term("Nowhere", "lupus"))
    with pytest.raises(QueryError, match="cannot ask"):
        search(snapshot, query.Phrase("Country", ["united", "states"]))
    # The snapshot is still open.
    assert len(snapshot) == 4 and search(snapshot, regex).total == 2
    snapshot.close()


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (query.AndNot(query.Every(), LUPUS), {TWO, FOUR}),
        (query.Require(LUPUS, query.Term("Phase", "PHASE2")), {ONE}),
        (query.Not(LUPUS), {TWO, FOUR}),
        (query.AndMaybe(LUPUS, query.Term("Phase", "PHASE2")), {ONE, THREE}),
        (query.DisjunctionMax([LUPUS, GOUT]), {ONE, THREE, FOUR}),
        (query.And([query.Or([LUPUS, GOUT]), query.AndNot(query.Every(), GOUT)]), {ONE, THREE}),
        (LUPUS, {ONE, THREE}),
    ],
)
def test_what_whoosh_answers_wrongly_is_answered_right(searcher: Any, asked: Any, expected: set[str]) -> None:
    assert set(keys(stock(searcher).search(sound(asked), limit=None))) == expected
    assert set(keys(searcher.search(asked, limit=None))) == expected
    # In a query that only Whoosh's matchers can answer, too.
    whole = query.And([asked, query.Regex("NCTId", ".*")])
    answer = search(searcher.reader().snapshot, whole, None)
    assert ({key for key, _ in answer.hits}, answer.by) == (expected, "matchers")


def test_whoosh_requires_the_contrary(searcher: Any) -> None:
    """What `sound` is for: if this fails, Whoosh was mended."""
    asked = query.Require(LUPUS, query.Term("Phase", "PHASE2"))
    assert keys(stock(searcher).search(asked)) == [THREE]
    assert keys(searcher.search(asked)) == keys(stock(searcher).search(sound(asked))) == [ONE]


def test_what_scores_nothing_is_found_in_a_union(searcher: Any) -> None:
    """A union of Whoosh's takes a score of 0 for no match."""
    asked = Or((Boost(OUR_LUPUS, 0.0), OUR_GOUT, In("BriefTitle", Term("asthma")), Code("Sex", "ALL")))
    assert set(keys(searcher.search(to_whoosh(asked)))) == {ONE, TWO, THREE, FOUR}


def test_the_best_score_is_of_the_document_itself(searcher: Any) -> None:
    """Whoosh's DisjunctionMax takes the better of the scores of two documents."""
    asked = query.DisjunctionMax(
        [query.Term("BriefTitle", "asthma"), query.Term("BriefTitle", "lupus", boost=9.0)]
    )

    def scores(by: Any, turned: Any) -> dict[str, float]:
        return {hit["Key"]: hit.score for hit in by.search(turned, limit=None)}

    apart = [scores(searcher, part) for part in asked.subqueries]
    assert scores(searcher, asked) == scores(stock(searcher), sound(asked)) == {**apart[0], **apart[1]}
    assert scores(stock(searcher), asked) != scores(searcher, asked)


def test_a_wish_is_not_lost_by_skipping(tmp_path: Path) -> None:
    """Whoosh's AndMaybe skips its second part no further than the first was asked to skip."""
    titles = ["kad", "", "mof", "zab", "", "kad zab mof"]
    studies = [study(f"NCT0000000{number}", BriefTitle=title or "wuk") for number, title in enumerate(titles)]
    folder = make_index(tmp_path / "index", studies)
    kad, zab, mof = (query.Term("BriefTitle", word) for word in ("kad", "zab", "mof"))
    asked = query.And([query.AndMaybe(kad, zab), mof])
    with open_index(folder).searcher() as searcher:

        def score(by: Any, turned: Any) -> float:
            (hit,) = by.search(turned)
            assert hit["Key"] == "NCT00000005"
            return float(hit.score)

        assert score(searcher, asked) == pytest.approx(score(searcher, query.And([kad, zab, mof])))
        assert score(stock(searcher), asked) == pytest.approx(score(searcher, query.And([kad, mof])))


def test_not_finds_no_deleted_trial(tmp_path: Path) -> None:
    """Whoosh's Not does where what it excludes has just ended."""
    titles = ["zab", "kad", "zab", "zab"]
    studies = [study(f"NCT0000000{number}", BriefTitle=title) for number, title in enumerate(titles)]
    folder = make_index(tmp_path / "index", studies)
    with Writer(folder, merge=False) as writer:
        writer.delete("NCT00000002")
    asked = query.Not(query.Term("BriefTitle", "kad"))
    with open_index(folder).searcher() as searcher:
        assert keys(searcher.search(asked)) == ["NCT00000000", "NCT00000003"]
        assert list(searcher.docs_for_query(asked)) == [0, 3]
        assert list(stock(searcher).docs_for_query(asked)) == [0, 2, 3]
        assert "NCT00000002" in keys(stock(searcher).search(asked))


def test_a_reader_that_does_not_own_its_snapshot_leaves_it_open(folder: Path) -> None:
    snapshot = Snapshot(folder)
    reader = TrialReader(snapshot)
    reader.close()
    assert snapshot.key(0) == ONE
    with pytest.raises(reading.ReaderClosed):
        reader.stored_fields(0)
    snapshot.close()

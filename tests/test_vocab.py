"""What a name means to an index, and names of one's own: what is told and found, what stays as it was."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from small import concept, full, make_index, open_index, study
from trialindex import builder
from trialindex.contents import read_contents
from trialindex.errors import IndexMissing, SourceError
from trialindex.snapshot import open_snapshot
from trialindex.vocabulary import adding, concepts
from trialindex.vocabulary.concepts import SOURCES, Concept, Name
from trialindex.vocabulary.imports import FORMATS
from trialsearch import TrialSearch, cli
from trialsearch.lines import plain
from trialsearch.vocab import Definition, NameCount, Related, Taught, Thing
from trialsearch.vocab_text import _FORMATS, as_dict, lines

CONCEPTS = [
    concept(
        "C1", "Lupus Nephritis", "lupus glomerulonephritis", "lupus kidney disease", short="LN", parents="C2"
    ),
    concept("C2", "Systemic Lupus Erythematosus", short="SLE", parents="C9"),
    concept("C3", "Membranous Lupus Nephritis", parents="C1"),
    concept("C4", "Pediatric Lupus Nephritis", parents="C1"),
    concept("C5", "Multiple Sclerosis", short="MS"),
    concept("C6", "Mitral Valve Stenosis", short="MS"),
    concept("C9", "Autoimmune Diseases"),
    concept("D1", "pembrolizumab", "Keytruda", kind="intervention"),
]
STUDIES = [
    study("NCT00000001", BriefTitle="A drug in lupus nephritis (LN)", Condition=["Lupus Nephritis"]),
    study("NCT00000002", BriefTitle="Lupus nephritis (LN) in adults", Condition=["Lupus Glomerulonephritis"]),
    study(
        "NCT00000003", BriefTitle="Membranous Lupus Nephritis (LN)", Condition=["Membranous Lupus Nephritis"]
    ),
    study(
        "NCT00000004",
        BriefTitle="Imaging",
        BriefSummary="Imaging of lymph nodes (LN).",
        Condition=["Melanoma"],
    ),
    study(
        "NCT00000005",
        BriefTitle="Surgery",
        BriefSummary="Removal of lymph nodes (LN).",
        Condition=["Melanoma"],
    ),
    study("NCT00000006", BriefTitle="Rash", Condition=["Systemic Lupus Erythematosus"]),
    study(
        "NCT00000007",
        BriefTitle="An antibody",
        InterventionName=["pembrolizumab"],
        InterventionOtherName=[["MK-3475"]],
    ),
    study(
        "NCT00000008",
        BriefTitle="An antibody too",
        InterventionName=["Keytruda"],
        InterventionOtherName=[["MK-3475"]],
    ),
]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_index(tmp_path_factory.mktemp("vocab") / "index", STUDIES, CONCEPTS)


@pytest.fixture(scope="module")
def trials(index: Path) -> Iterator[TrialSearch]:
    with TrialSearch.open(index) as opened:
        yield opened


@pytest.fixture
def run(index: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.setenv("TRIALSEARCH_INDEX", str(index))
    monkeypatch.delenv("FORCE_COLOR", raising=False)

    def invoke(*words: str) -> Result:
        result = CliRunner().invoke(cli._root, list(words), prog_name="trialsearch")
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return invoke


@pytest.fixture
def small_release(monkeypatch: pytest.MonkeyPatch) -> list[Concept]:
    """What the package ships, for a test: a concept under the id that an index had, one under another id."""
    shipped = [
        Concept(
            "C1", "condition", (Name("Lupus Nephritis", "mesh"), Name("nephropathy in SLE", "mesh")), (), ()
        ),
        Concept("N1", "intervention", (Name("pembrolizumab", "mesh"),), (), ()),
    ]
    for module in (adding, concepts):
        monkeypatch.setattr(module, "shipped_concepts", lambda: iter(shipped))
    return shipped


# --- what a term means ---


def test_an_abbreviation_is_told_by_its_meanings_with_their_trials(trials: TrialSearch) -> None:
    found = trials.meanings("LN")
    assert (found.term, found.read_as, found.near) == ("LN", "LN", ())
    assert found.notes == tuple(trials.search("LN").notes) != ()
    assert found.trials == trials.search("LN").total
    lupus, nodes = found.things
    assert lupus == Thing(
        name="Lupus Nephritis",
        identifier="C1",
        kind="condition",
        how="abbreviation",
        taken=True,
        uses=3,
        share=3 / 5,
        trials=3,
        names=(
            NameCount("Lupus Nephritis", "test", 3),
            NameCount("lupus glomerulonephritis", "test", 1),
            NameCount("lupus kidney disease", "test", 0),
        ),
        abbreviations=(NameCount("LN", "test", 3),),
        definitions=(Definition("LN", "Lupus Nephritis", 3),),
        broader=(Related("Systemic Lupus Erythematosus", "C2", 4),),
        narrower=(
            Related("Membranous Lupus Nephritis", "C3", 1),
            Related("Pediatric Lupus Nephritis", "C4", 0),
        ),
    )
    assert (nodes.identifier, nodes.kind, nodes.taken, nodes.uses, nodes.share) == ("", "", False, 2, 2 / 5)
    assert nodes.names == (NameCount(nodes.name, "trials of this index", 2),)


def test_a_name_is_the_thing_itself_and_no_other(trials: TrialSearch) -> None:
    (thing,) = trials.meanings("lupus NEPHRITIS").things
    assert (thing.identifier, thing.how, thing.taken, thing.uses) == ("C1", "name", True, 0)
    (above,) = trials.meanings("autoimmune disease").things
    assert (above.identifier, above.trials, above.broader) == ("C9", 4, ())


def test_of_meanings_that_no_trial_speaks_for_none_is_taken(trials: TrialSearch) -> None:
    found = trials.meanings("MS")
    assert [(thing.name, thing.taken, thing.share) for thing in found.things] == [
        ("Mitral Valve Stenosis", False, 0.0),
        ("Multiple Sclerosis", False, 0.0),
    ]
    assert "MS may mean" in found.notes[0]
    assert "Meanings of MS" in list(plain(lines(found)))


def test_a_name_that_trials_give_is_told_with_how_many_say_so(trials: TrialSearch) -> None:
    (thing,) = trials.meanings("mk3475").things
    assert (thing.how, thing.taken, thing.identifier) == ("learned", True, "")
    assert thing.name.lower() in {"pembrolizumab", "keytruda"}
    (drug,) = trials.meanings("pembrolizumab").things
    assert Taught("MK-3475", 1, 2) in drug.learned
    assert "MK-3475" not in [one.name for one in drug.names]


@pytest.mark.parametrize(
    ("term", "read_as", "identifier"),
    [("ketruda", "keytruda", "D1"), ("lupus nefritis", "lupus nephritis", "C1")],
)
def test_a_misspelt_name_says_what_it_was_taken_for(
    trials: TrialSearch, term: str, read_as: str, identifier: str
) -> None:
    found = trials.meanings(term)
    assert (found.term, found.read_as) == (term, read_as)
    assert [thing.identifier for thing in found.things] == [identifier]
    assert f"  {term} is read as {read_as}" in list(plain(lines(found)))


def test_what_names_nothing_tells_what_is_near(trials: TrialSearch) -> None:
    assert (
        trials.meanings("xyzzy").things
        == trials.meanings("").things
        == trials.meanings("of the").things
        == ()
    )
    # Two names are none together; each is named.
    assert trials.meanings("lupus nephritis keytruda").near == ("lupus nephritis", "keytruda")
    assert trials.meanings("sclerosys").near == () or trials.meanings("sclerosys").things == ()
    # A word of a name is not the name.
    assert trials.meanings("nephritis").things == ()


def test_deleted_trials_count_nowhere(tmp_path: Path) -> None:
    index = make_index(tmp_path / "index", STUDIES, CONCEPTS)
    builder.delete(["NCT00000001"], index)
    with TrialSearch.open(index) as trials:
        lupus = trials.meanings("LN").things[0]
        assert (lupus.trials, lupus.names[0].trials, lupus.definitions[0].trials) == (2, 2, 2)
        assert lupus.broader[0].trials == 3


def test_an_index_without_names_knows_what_trials_define_and_no_more(tmp_path: Path) -> None:
    with open_index(tmp_path / "index", STUDIES, ()) as trials:
        assert trials.meanings("lupus nephritis").things == ()
        assert [thing.uses for thing in trials.meanings("LN").things] == [3, 2]
        assert {thing.identifier for thing in trials.meanings("LN").things} == {""}


@given(
    st.text(max_size=30)
    | st.lists(st.sampled_from(["LN", "MS", "lupus", "of", "keytruda", "-"])).map(" ".join)
)
def test_whatever_is_asked_is_told_in_lines_and_in_json(trials: TrialSearch, term: str) -> None:
    found = trials.meanings(term)
    assert sum(thing.taken for thing in found.things) <= len(found.things)
    assert json.loads(json.dumps(as_dict(found)))["term"] == found.term
    assert all(line == line.rstrip() and "\n" not in line for line in plain(lines(found)))


# --- names of one's own ---


def _write(path: Path, *rows: str) -> Path:
    path.write_text("".join(f"{row}\n" for row in rows), "utf-8")
    return path


def _found(index: Path, query: str) -> list[str]:
    with TrialSearch.open(index) as trials:
        return sorted(full(trials.search(query, fuzzy=False)))


def test_added_names_are_found_and_added_again_change_nothing(tmp_path: Path) -> None:
    index = make_index(tmp_path / "index", STUDIES, CONCEPTS)
    assert _found(index, "renal zorb") == _found(index, "melanocytoma") == []
    mine = _write(
        tmp_path / "mine.tsv", "Lupus nephritis\trenal zorb", "melanoma\tmelanocytoma\tcondition", "odd"
    )
    seen: list[tuple[int, int]] = []
    added = builder.add_vocabulary([mine], index, progress=lambda done, total: seen.append((done, total)))
    assert (added.names, added.things, added.gone, added.trials) == (3, 1, 0, 8)
    assert [(one.file, one.formats, one.concepts) for one in added.files] == [("mine.tsv", ("names",), 2)]
    assert sum(added.files[0].odd.values()) == 1
    assert seen == [(done, 8) for done in range(1, 9)]
    assert _found(index, "renal zorb") == ["NCT00000001", "NCT00000002", "NCT00000003"]
    # A condition that the vocabulary did not know is one that trials are linked to.
    assert _found(index, "melanocytoma") == ["NCT00000004", "NCT00000005"]
    assert _found(index, "renal") == []
    with TrialSearch.open(index) as trials:
        (thing,) = trials.meanings("renal zorb").things
        assert NameCount("renal zorb", "mine.tsv", 0) in thing.names and thing.name == "Lupus Nephritis"
    before = read_contents(index)
    again = builder.add_vocabulary([mine], index)
    assert (again.changed, again.trials) == (False, 0)
    assert read_contents(index) == before


def test_a_name_of_another_thing_stays_with_that_and_is_told(tmp_path: Path) -> None:
    index = make_index(tmp_path / "index", STUDIES, CONCEPTS)
    mine = _write(tmp_path / "mine.tsv", "lupus nephritis\tMultiple sclerosis", "lupus nephritis\tLN")
    added = builder.add_vocabulary([mine], index)
    assert added.files[0].elsewhere == ["Multiple sclerosis"]
    assert not added.changed  # LN it had
    with TrialSearch.open(index) as trials:
        assert [thing.identifier for thing in trials.meanings("multiple sclerosis").things] == ["C5"]


def test_a_file_that_is_added_again_takes_back_what_it_no_longer_says(tmp_path: Path) -> None:
    index = make_index(tmp_path / "index", STUDIES, CONCEPTS)
    mine = _write(tmp_path / "mine.tsv", "lupus nephritis\trenal zorb", "lupus nephritis\tkidney zorb")
    other = _write(tmp_path / "other.tsv", "lupus nephritis\tzorb of the kidney")
    builder.add_vocabulary([mine, other], index)
    _write(mine, "lupus nephritis\tkidney zorb")
    added = builder.add_vocabulary([mine], index)
    assert (added.names, added.gone, added.trials) == (0, 1, 8)
    assert _found(index, "renal zorb") == []
    assert _found(index, "kidney zorb") == _found(index, "zorb of the kidney") != []


def test_a_rebuild_keeps_added_names_and_takes_the_shipped_ones_anew(
    tmp_path: Path, small_release: list[Concept]
) -> None:
    old = [
        Concept("C1", "condition", (Name("Lupus Nephritis", "mesh"), Name("old zorb", "mesh")), (), ()),
        Concept("D1", "intervention", (Name("pembrolizumab", "mesh"), Name("older zorb", "mesh")), (), ()),
    ]
    index = make_index(tmp_path / "index", STUDIES, old)
    mine = _write(
        tmp_path / "mine.tsv",
        "lupus nephritis\trenal zorb",
        "lupus nephritis\tLZ",
        "pembrolizumab\tzorblaxumab",
        "melanoma\tmelanocytoma",
    )
    builder.add_vocabulary([mine], index)
    assert _found(index, "old zorb") != [] != _found(index, "older zorb")
    assert builder.rebuild(index) == 8
    for name in ("renal zorb", "nephropathy in SLE"):
        assert _found(index, name) == ["NCT00000001", "NCT00000002", "NCT00000003"], name
    # It came by another id since: its name tells.
    assert _found(index, "zorblaxumab") == ["NCT00000007", "NCT00000008"]  # MK-3475, say trials
    assert _found(index, "melanocytoma") == ["NCT00000004", "NCT00000005"]
    assert _found(index, "old zorb") == _found(index, "older zorb") == []
    with TrialSearch.open(index) as trials:
        assert [(thing.identifier, thing.how) for thing in trials.meanings("LZ").things] == [
            ("C1", "abbreviation")
        ]
        assert [thing.identifier for thing in trials.meanings("zorblaxumab").things] == ["N1"]
    held = read_contents(index)
    assert builder.rebuild(index) == 8
    assert read_contents(index).vocabulary.digest == held.vocabulary.digest


def test_names_of_a_file_in_a_shipped_format_are_not_taken_for_shipped_ones(
    tmp_path: Path, small_release: list[Concept]
) -> None:
    index = make_index(tmp_path / "index", STUDIES, [small_release[0]])
    mesh = _write(
        tmp_path / "desc 2099.xml",
        '<?xml version="1.0"?>',
        "<DescriptorRecordSet><DescriptorRecord><DescriptorUI>D000001</DescriptorUI>",
        "<DescriptorName><String>Melanoma</String></DescriptorName>",
        "<TreeNumberList><TreeNumber>C04.1</TreeNumber></TreeNumberList>",
        "<ConceptList><Concept><TermList><Term><String>Melanocytoma</String></Term></TermList></Concept>",
        "</ConceptList>",
        "</DescriptorRecord></DescriptorRecordSet>",
    )
    builder.add_vocabulary([mesh], index)
    builder.rebuild(index)
    assert _found(index, "melanocytoma") == ["NCT00000004", "NCT00000005"]
    with TrialSearch.open(index) as trials:
        (thing,) = trials.meanings("melanocytoma").things
        assert {one.source for one in thing.names} == {"mesh-desc-2099.xml"}


@pytest.mark.parametrize("bad", ["letter.txt", "cut.json", "missing.tsv"])
def test_a_file_that_cannot_be_read_leaves_the_index_as_it_was(tmp_path: Path, bad: str) -> None:
    index = make_index(tmp_path / "index", STUDIES, CONCEPTS)
    before = {path.name: path.read_bytes() for path in index.iterdir()}
    good = _write(tmp_path / "good.tsv", "lupus nephritis\trenal zorb")
    _write(tmp_path / "letter.txt", "Dear all, please find the list attached.")
    _write(tmp_path / "cut.json", '{"graphs": [{"nodes": [{"id": "MONDO:1", "lbl": "lupus"')
    with pytest.raises(SourceError, match=bad.replace(".", r"\.")):
        builder.add_vocabulary([good, tmp_path / bad], index)
    assert {path.name: path.read_bytes() for path in index.iterdir()} == before
    assert _found(index, "renal zorb") == []


def test_a_run_that_fails_while_linking_leaves_the_index_as_it_was(tmp_path: Path) -> None:
    index = make_index(tmp_path / "index", STUDIES, CONCEPTS)
    before = {path.name: path.read_bytes() for path in index.iterdir()}
    mine = _write(tmp_path / "mine.tsv", "lupus nephritis\trenal zorb")

    def stop(done: int, total: int) -> None:
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        builder.add_vocabulary([mine], index, progress=stop)
    assert {path.name: path.read_bytes() for path in index.iterdir()} == before
    with pytest.raises(IndexMissing):
        builder.add_vocabulary([mine], tmp_path / "none")


def test_adding_is_one_commit_and_what_trials_teach_is_worked_out_in_it(tmp_path: Path) -> None:
    index = make_index(tmp_path / "index", STUDIES, CONCEPTS)
    generation = read_contents(index).generation
    builder.add_vocabulary([_write(tmp_path / "mine.tsv", "lymph nodes\tnodi lymphatici\tcondition")], index)
    held = read_contents(index)
    assert (held.generation, len(held.segments), held.unlearned) == (generation + 1, 1, 0)
    with TrialSearch.open(index) as trials:
        assert "mine.tsv:lymph-nodes" in [thing.identifier for thing in trials.meanings("LN").things]


def test_an_index_without_a_vocabulary_begins_with_the_shipped_one(
    tmp_path: Path, small_release: list[Concept]
) -> None:
    index = make_index(tmp_path / "index", STUDIES)
    builder.add_vocabulary([_write(tmp_path / "mine.tsv", "lupus nephritis\trenal zorb")], index)
    snapshot = open_snapshot(index)
    assert snapshot.vocabulary is not None and len(snapshot.vocabulary) == len(small_release)
    snapshot.close()
    assert _found(index, "renal zorb") != []


words = st.sampled_from(["lupus", "gout", "toe disease", "kidney", "zorb"])
names = st.builds(Name, words, st.sampled_from([*SOURCES, "mine.tsv", "rxnorm"]))
vocabularies = st.lists(
    st.builds(
        Concept,
        st.integers(0, 4).map("C{}".format),
        st.just("condition"),
        st.lists(names, min_size=1, max_size=4).map(tuple),
        st.lists(names, max_size=2).map(tuple),
        st.just(()),
    ),
    max_size=4,
    unique_by=lambda one: one.id,
)


@given(vocabularies)
def test_what_is_ones_own_is_what_no_shipped_source_gave(concepts: list[Concept]) -> None:
    mine = {one.id: one for one in adding.own(concepts)}
    for one in concepts:
        kept = {name for name in (*one.names, *one.abbreviations) if name.source not in SOURCES}
        assert kept == (set(mine[one.id].names + mine[one.id].abbreviations) if one.id in mine else set())


# --- the command line ---


def test_every_format_has_a_name_for_people() -> None:
    assert _FORMATS.keys() == FORMATS.keys()


def test_show_prints_what_a_person_reads(run: Callable[..., Result]) -> None:
    result = run("vocab", "show", "LN")
    assert result.exit_code == 0
    text = result.stdout.splitlines()
    assert text[0].startswith("A search for LN finds ")
    assert "Lupus Nephritis, a condition (C1)" in text
    assert "  LN is an abbreviation of it in 3 trials, 60% of those that define it" in text
    assert "  3 trials have it, or a kind of it, as a condition" in text
    assert "    in no trial: lupus kidney disease" in text
    assert "    and 1 more that no trial is about" in text
    assert text[text.index("Other meanings of LN") + 1].split()[:2] == ["lymph", "nodes"]
    assert (
        run("vocab", "show", "lupus", "nephritis").stdout.splitlines()[2]
        == "Lupus Nephritis, a condition (C1)"
    )


def test_show_as_json_has_all_of_it(run: Callable[..., Result], trials: TrialSearch) -> None:
    found = json.loads(run("vocab", "show", "LN", "--json").stdout)
    assert found == as_dict(trials.meanings("LN"))
    assert [thing["share"] for thing in found["things"]] == [0.6, 0.4]
    assert found["things"][0]["narrower"][1] == {
        "name": "Pediatric Lupus Nephritis",
        "identifier": "C4",
        "trials": 0,
    }


def test_show_of_what_names_nothing_exits_as_grep_does(run: Callable[..., Result]) -> None:
    result = run("vocab", "show", "xyzzy")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "'xyzzy' names nothing that this index knows (0 trials have its words)" in result.stderr
    near = run("vocab", "show", "lupus nephritis keytruda")
    assert near.exit_code == 1 and near.stderr.endswith("near it: lupus nephritis, keytruda\n")
    assert json.loads(run("vocab", "show", "xyzzy", "--json").stdout)["things"] == []
    assert run("vocab", "show", "  ").exit_code == 2


def test_vocab_names_its_commands_and_the_remedy(run: Callable[..., Result]) -> None:
    wrong = run("vocab", "LN")
    assert wrong.exit_code == 2 and "trialsearch vocab show LN" in wrong.stderr
    assert "did you mean add?" in run("vocab", "ad", "x").stderr
    for name in ("show", "add"):
        assert f"trialsearch vocab {name}" in run("vocab", name, "--help").stdout.partition("\n\n")[2]
    assert run("vocab", "add").exit_code == 2


def test_add_reports_what_it_did_and_what_it_passed_over(run: Callable[..., Result], tmp_path: Path) -> None:
    place = ["--index", str(make_index(tmp_path / "index", STUDIES, CONCEPTS))]
    mine = str(_write(tmp_path / "mine.tsv", "lupus nephritis\trenal zorb", "odd"))
    result = run("vocab", "add", mine, *place)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[0] == "mine.tsv: 1 thing (names and other names)"
    assert "new names           1" in result.stdout.splitlines()
    assert result.stderr == "mine.tsv: left out: a row that is no two names and a kind\n"
    again = run("vocab", "add", mine, *place)
    assert again.exit_code == 0 and "nothing changed" in again.stdout
    assert run("vocab", "add", mine, "--quiet", *place).stdout == ""
    letter = run("vocab", "add", str(_write(tmp_path / "letter.txt", "Dear all")), *place)
    assert (letter.exit_code, letter.stdout) == (2, "")
    assert "letter.txt, line 1: no vocabulary in a known format: give" in letter.stderr
    assert run("vocab", "add", mine, "--index", str(tmp_path / "none")).exit_code == 2

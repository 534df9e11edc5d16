"""The command line as a user meets it: what it prints, where, and with which exit code."""

from __future__ import annotations

import errno
import functools
import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from helpers import ROOT
from small import make_index, study
from trialsearch import cli
from trialsearch.progress import estimate

Run = Callable[..., Result]


@pytest.fixture
def run(corpus_index: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command in this process, on the index of the corpus unless the command names another."""
    monkeypatch.setenv("TRIALSEARCH_INDEX", str(corpus_index))
    for name in ("FORCE_COLOR", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)

    def invoke(*words: str) -> Result:
        result = CliRunner().invoke(cli._root, list(words), prog_name="trialsearch")
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return invoke


def _environment(**more: str) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if key not in {"NO_COLOR", "FORCE_COLOR"}}
    return kept | more


def _started(*words: str, **more: Any) -> subprocess.Popen[bytes]:
    # A test run in the background ignores Ctrl-C, and its children inherit that; a user's command does not.
    listening = functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    return subprocess.Popen([sys.executable, "-m", "trialsearch", *words], preexec_fn=listening, **more)


def _on_a_terminal(words: list[str], environment: Mapping[str, str]) -> str:
    """Run a command on a terminal of its own and return all that it prints there."""
    ours, theirs = pty.openpty()
    process = _started(*words, stdout=theirs, stderr=theirs, stdin=theirs, env=dict(environment))
    os.close(theirs)
    printed = b""
    end = time.monotonic() + 60
    while time.monotonic() < end and select.select([ours], [], [], 60)[0]:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # Linux says so when the other end is closed
            break
        if not piece:
            break
        printed += piece
    process.wait(60)
    os.close(ours)
    return printed.decode("utf-8").replace("\r\n", "\n")


# --- search ---


def test_search_in_a_pipe_is_plain_text_best_first(run: Run) -> None:
    result = run("search", "umbilical", "cord", "MSC", "for", "LN")
    assert result.exit_code == 0
    assert "\x1b" not in result.stdout and result.stderr == ""
    found = re.findall(r"^ +\d+ (NCT\d{8})", result.stdout.partition("──")[0], re.MULTILINE)
    assert sorted(found) == ["NCT01539902", "NCT03458156", "NCT05631717"]
    assert "LN: as synonym lupus nephritis" in result.stdout


def test_exit_codes_are_greps(run: Run) -> None:
    assert run("search", "lupus", "--count").exit_code == 0
    nothing = run("search", "lupus", "--phase", "4", "--count")
    assert (nothing.exit_code, nothing.stdout) == (1, "0\n")
    only_partial = run("search", "asthma", "ipilimumab")
    assert only_partial.exit_code == 1 and "have only some of the words" in only_partial.stdout
    # A list of ids cannot say that a trial has only some of the words, so it leaves such trials out.
    assert run("search", "asthma", "ipilimumab", "--format", "ids").stdout == ""
    assert len(run("search", "asthma", "ipilimumab", "--format", "csv").stdout.splitlines()) == 1
    assert all(
        json.loads(line)["partial"]
        for line in run("search", "asthma", "ipilimumab", "--format", "jsonl").stdout.splitlines()
    )
    assert run("search", "phase:9").exit_code == 2


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (["--type", "expanded_access"], ["NCT00495066", "NCT00499720"]),
        (["--status", "withdrawn", "--status", "suspended"], ["NCT00000804", "NCT05378763", "NCT05693090"]),
        (["--status", "withdrawn,suspended"], ["NCT00000804", "NCT05378763", "NCT05693090"]),
        (["--phase", "1/2"], ["NCT00497952", "NCT00962923"]),
        (["--start", "1986..1994"], ["NCT00001212", "NCT00001391", "NCT00004380"]),
        (["--intr", "ipilimumab"], ["NCT00495066"]),
        (["--id", "nct00495066,CT 11-03"], ["NCT00495066", "NCT01539902"]),
        (["--title", "scleroderma", "--no-synonyms"], ["NCT00004563", "NCT00005675"]),
        (["--title", "ipilimumab", "--phase", "2"], []),
        (["--sponsor", "beike"], ["NCT01539902"]),
    ],
)  # fmt: skip
def test_options_ask_without_words(run: Run, options: list[str], found: list[str]) -> None:
    result = run("search", *options, "--sort", "id", "--format", "ids")
    assert [line for line in result.stdout.split("\n") if line] == found
    assert result.exit_code == (0 if found else 1)


def test_sex_age_country_and_results_filter_too(tmp_path: Path, run: Run) -> None:
    index = make_index(
        tmp_path / "index",
        [
            study(
                "NCT00000001", Sex="FEMALE", MinimumAge="18 Years", LocationCountry=["China"], HasResults=True
            ),
            study("NCT00000002", Sex="MALE", MaximumAge="12 Years", LocationCountry=["Japan"]),
        ],
    )
    for options, found in {
        ("--sex", "female"): "NCT00000001\n",
        ("--age", "34"): "NCT00000001\n",
        ("--age", "6 months"): "NCT00000002\n",
        ("--country", "japan"): "NCT00000002\n",
        ("--country", "japan", "--country", "china"): "NCT00000001\nNCT00000002\n",
        ("--with-results",): "NCT00000001\n",
        ("--without-results",): "NCT00000002\n",
        ("--country", "France"): "",
    }.items():
        result = run("search", *options, "--format", "ids", "--sort", "id", "--index", str(index))
        assert result.stdout == found, options


def test_limit_offset_and_sort_cut_one_order_into_pages(run: Run) -> None:
    def page(*options: str) -> list[str]:
        return run("search", "ALL", "--sort", "start:asc", "--format", "ids", *options).stdout.split()

    whole = page("--limit", "all")
    assert len(whole) == len(set(whole)) == 63
    assert whole[0] == "NCT00001212"  # 1986-11, the earliest start of the corpus
    assert page("--limit", "5") + page("-n", "7", "--offset", "5") == whole[:12]
    assert page("--limit", "0") == []
    assert len(page()) == 10


def test_fuzzy_and_synonyms_can_be_left_out(run: Run) -> None:
    assert run("search", "rituximb", "--count").stdout != "0\n"
    for option in ("--no-fuzzy", "--exact"):
        assert run("search", "rituximb", "--count", option).stdout == "0\n"
    with_synonyms = int(run("search", "LN", "--count").stdout)
    # Only two trials of the corpus write LN in what plain words ask.
    assert with_synonyms > int(run("search", "LN", "--count", "--no-synonyms").stdout)


def test_formats_for_programs_hold_data_alone(run: Run) -> None:
    whole = json.loads(run("search", "ipilimumab", "--format", "json").stdout)
    assert (whole["total"], whole["hits"][0]["id"]) == (1, "NCT00495066")
    assert "explanation" not in whole["hits"][0]
    lines = run("search", "ipilimumab", "--format", "jsonl", "--explain").stdout.splitlines()
    assert [json.loads(line)["explanation"] != [] for line in lines] == [True]
    assert run("search", "ipilimumab", "--format", "csv").stdout.startswith("id,title,")
    for form, printed in (("ids", ""), ("jsonl", "")):
        empty = run("search", "nosuchword", "--format", form)
        assert (empty.stdout, empty.stderr, empty.exit_code) == (printed, "", 1)


@pytest.mark.parametrize("words", [[], [""], ["--everywhere"], ["--sort", "id"], ["--cond", " "]])
def test_asking_for_nothing_is_wrong_use(run: Run, words: list[str]) -> None:
    result = run("search", *words)
    assert result.exit_code == 2
    assert "give words" in result.stderr and "ALL" in result.stderr and result.stdout == ""


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        (["search", "lupus AND"], "nothing follows AND"),
        (["search", "--phase", "9"], "EARLY_PHASE1"),
        (["search", "--status", "open"], "NOT_YET_RECRUITING"),
        (["search", "--sex", "x"], "FEMALE, MALE, ALL"),
        (["search", "--age", "old"], "write 34, or 6 months"),
        (["search", "--start", "soon.."], "write 2012, 2012-02 or 2012-02-29"),
        (["search", "lupus", "--sort", "size"], "updated, start, completion"),
        (["search", "lupus", "--limit", "-3"], "write 20, or all"),
        (["search", "lupus", "--offset", "x"], "write 20"),
        (["search", "lupus", "--format", "yaml"], "'jsonl'"),
        (["search", "lupus", "--facet-limit", "5"], "--facet-limit belongs to --facets"),
        (["search", "tittle:lupus"], "title"),
        (["serch", "lupus"], "did you mean search?"),
        (["lupus"], "trialsearch search lupus"),
        (["index"], "trialsearch index downloads.zip"),
        (["index", "no-such-file.zip"], "no-such-file.zip"),
        (["show"], "ID"),
    ],
)
def test_wrong_use_names_the_right_one(run: Run, words: list[str], remedy: str) -> None:
    result = run(*words)
    assert result.exit_code == 2
    assert remedy in result.stderr and result.stdout == ""
    assert "Traceback" not in result.stderr


def test_words_are_utf_8_where_python_took_them_for_ascii(run: Run) -> None:
    typed = "Università".encode().decode("ascii", "surrogateescape")
    (shown,) = run("search", typed, "--limit", "0").stdout.splitlines()[:1]
    assert shown == run("search", "Università", "--limit", "0").stdout.splitlines()[0]
    assert shown.endswith("for Università")


def test_undecodable_words_are_no_crash(run: Run) -> None:
    assert run("search", "lupus \udcff").exit_code in {0, 1}
    assert run("show", "\udcff").exit_code == 1


# --- show, similar, suggest ---


@pytest.mark.parametrize("spelled", ["NCT01539902", "nct01539902", " nct 0153-9902 "])
def test_show_takes_an_id_as_people_write_it(run: Run, spelled: str) -> None:
    result = run("show", spelled)
    assert result.exit_code == 0 and result.stdout.startswith("Phase 2 Study of Human Umbilical Cord")
    stored = json.loads(run("show", spelled, "--json").stdout)
    assert stored["protocolSection"]["identificationModule"]["orgStudyIdInfo"]["id"] == "CT 11-03"
    assert stored["sourceSection"]["sources"][0]["format"] == "ctgov-json"


def test_an_unknown_id_names_those_near_it(run: Run) -> None:
    slip = run("show", "NCT01539920")
    assert slip.exit_code == 1 and slip.stdout == ""
    assert "near it: NCT01539902" in slip.stderr and len(slip.stderr.splitlines()) == 1
    assert "near it: NCT01539902" in run("similar", "NCT0153990").stderr
    assert "near it: NCT01539902" in run("show", "CT 11-03").stderr
    far = run("show", "NCT99999999")
    assert far.exit_code == 1 and "near" not in far.stderr and "trialsearch index" in far.stderr


def test_similar_gives_other_trials(run: Run) -> None:
    ids = run("similar", "nct01539902", "--format", "ids", "--limit", "3").stdout.split()
    assert len(ids) == 3 and "NCT01539902" not in ids
    assert {"NCT03458156", "NCT05631717", "NCT04318600"} & set(ids)
    text = run("similar", "NCT01539902", "--limit", "1").stdout
    assert text.startswith("The trial most like NCT01539902 Phase 2 Study") and "in common" in text
    assert run("similar", "NCT01539902", "--limit", "all").exit_code == 0


def test_suggest_is_tabs_in_a_pipe(run: Run) -> None:
    rows = [line.split("\t") for line in run("suggest", "lupus", "n").stdout.splitlines()]
    assert [row[:2] for row in rows] == [["Lupus Nephritis", "condition"]]
    assert int(rows[0][2]) > 1
    assert rows[0][3:] == []
    slip = [line.split("\t") for line in run("suggest", "lupsu", "n").stdout.splitlines()]
    assert [row[:2] + row[3:] for row in slip] == [["Lupus Nephritis", "condition", "", "lupus n"]]
    assert len(run("suggest", "a", "--limit", "2").stdout.splitlines()) == 2
    none = run("suggest", "zzz")
    assert (none.exit_code, none.stdout) == (1, "") and "zzz" in none.stderr


# --- index, delete, stats, verify ---


def _write(folder: Path, *studies: dict[str, Any]) -> Path:
    folder.mkdir(exist_ok=True)
    for one in studies:
        name = one["protocolSection"]["identificationModule"]["nctId"]
        (folder / f"{name}.json").write_text(json.dumps(one), encoding="utf-8")
    return folder


def test_index_reports_in_plain_lines_and_says_when_nothing_changed(run: Run, tmp_path: Path) -> None:
    index = str(tmp_path / "index")
    source = _write(
        tmp_path / "in",
        study("NCT00000001", BriefTitle="One", LastUpdatePostDate="2020-01-01"),
        study("NCT00000002", BriefTitle="Two", OverallStatus="PERHAPS"),
    )
    (source / "broken.json").write_text('[{"protocolSection": {}}]')
    (source / "letter.txt").write_text("Dear all")
    first = run("index", str(source), "--index", index)
    assert first.exit_code == 0
    lines = first.stdout.splitlines()
    assert lines[:7] == [
        "records read           3",
        "  added                2",
        "  changed              0",
        "  unchanged            0",
        "  rejected             1",
        "files without a trial  1",
        "odd values             1",
    ]
    assert "broken.json" in first.stderr and "rejects.jsonl" in first.stderr
    assert "OverallStatus" in first.stderr
    assert "nothing changed" not in first.stdout
    again = run("index", str(source), "--index", index)
    assert again.exit_code == 0 and "nothing changed" in again.stdout.splitlines()[-1]
    quiet = run("index", str(source), "--index", index, "--quiet")
    assert quiet.stdout == "" and len(quiet.stderr.splitlines()) == 1


def test_index_of_what_holds_no_trial_finds_nothing(run: Run, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear all")
    result = run("index", str(tmp_path / "letter.txt"), "--index", str(tmp_path / "index"))
    assert result.exit_code == 1 and "no trial record" in result.stderr


def test_delete_rebuild_stats_and_verify(run: Run, corpus_index: Path, tmp_path: Path) -> None:
    index = tmp_path / "index"
    shutil.copytree(corpus_index, index)
    place = ["--index", str(index)]
    gone = run("delete", "nct 01539902", "NCT99999999", *place)
    assert (gone.exit_code, gone.stdout) == (1, "deleted NCT01539902\n")
    assert "NCT99999999" in gone.stderr and len(gone.stderr.splitlines()) == 1
    assert run("show", "NCT01539902", *place).exit_code == 1
    assert run("delete", "NCT00495066", *place).exit_code == 0
    rebuilt = run("index", "--rebuild", *place)
    assert rebuilt.exit_code == 0 and "61 trials" in rebuilt.stdout
    figures = json.loads(run("stats", "--json", *place).stdout)
    assert figures["trials"] == 61 and figures["records_by_source"] == {"ctgov-json": 61}
    assert (figures["type"]["EXPANDED_ACCESS"], figures["status"]["TERMINATED"]) == (1, 5)
    assert figures["rejects"] == 0 and figures["bytes"] > 10_000
    text = run("stats", *place).stdout
    assert re.search(r"^  Expanded access +1$", text, re.MULTILINE)
    verified = run("verify", *place)
    assert verified.exit_code == 0 and "61 trials" in verified.stdout


def test_verify_of_a_damaged_index_is_an_error(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    import trialindex.verify

    monkeypatch.setattr(
        trialindex.verify, "verify", lambda folder: ["NCT00000001: the terms of Condition differ"]
    )
    result = run("verify")
    assert (result.exit_code, result.stdout) == (2, "NCT00000001: the terms of Condition differ\n")
    assert "--rebuild" in result.stderr


@pytest.mark.parametrize(
    "words",
    [["search", "lupus"], ["show", "NCT1"], ["similar", "NCT1"], ["suggest", "lu"], ["stats"], ["verify"],
     ["delete", "NCT1"], ["index", "--rebuild"]],
)  # fmt: skip
def test_a_missing_index_is_an_error_with_its_place(run: Run, tmp_path: Path, words: list[str]) -> None:
    result = run(*words, "--index", str(tmp_path / "none"))
    assert result.exit_code == 2 and result.stdout == ""
    assert result.stderr.startswith(f"trialsearch: no index in {tmp_path / 'none'}: ")
    assert "trialsearch index SOURCE" in result.stderr


def test_an_index_that_is_a_file_is_an_error_with_its_place(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    source = _write(tmp_path / "in", study("NCT00000001"))
    result = run("index", str(source), "--index", str(tmp_path / "file"))
    assert result.exit_code == 2 and str(tmp_path / "file") in result.stderr
    assert result.stderr.startswith("trialsearch: ") and len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("number", "said"),
    [(errno.ENOSPC, "free some space"), (errno.EACCES, "permissions"), (errno.EIO, "input/output error")],
)
def test_what_the_system_refuses_is_one_line_with_the_place(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, said: str
) -> None:
    from trialindex import builder

    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(builder, "build", refuse)
    result = run("index", "corpus", "--index", str(tmp_path / "here"))
    assert result.exit_code == 2 and len(result.stderr.splitlines()) == 1
    assert said in result.stderr and str(tmp_path / "here") in result.stderr


def test_ctrl_c_keeps_what_is_committed(
    run: Run, corpus_index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from trialindex import builder

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(builder, "build", interrupted)
    result = run("index", "corpus", "--index", str(corpus_index))
    assert result.exit_code == 130
    assert result.stderr == (
        "stopped: what was committed stays (63 trials in the index); run the same command again to go on\n"
    )


def test_ctrl_c_stops_a_real_run_without_a_traceback(tmp_path: Path) -> None:
    for number in range(4000):
        made = study(f"NCT{number:08d}", BriefTitle=f"Trial {number}", BriefSummary="word " * 400)
        _write(tmp_path / "in", made)
    process = _started(
        "index", str(tmp_path / "in"), "--index", str(tmp_path / "index"), stderr=subprocess.PIPE
    )
    while not (tmp_path / "index" / "trialsearch.json").exists() and process.poll() is None:
        time.sleep(0.02)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"stopped: what was committed stays" in stderr and b"Traceback" not in stderr


# --- terminals, pipes, start-up ---


def test_a_terminal_gets_colour_and_its_own_width(corpus_index: Path) -> None:
    words = ["search", "LN", "mesenchymal", "--limit", "2", "--index", str(corpus_index)]
    for width in (60, 100):
        printed = _on_a_terminal(words, _environment(TERM="xterm-256color", COLUMNS=str(width)))
        assert "\x1b[1;33m" in printed  # words found: bold yellow
        bare = re.sub(r"\x1b\[[0-9;]*m", "", printed)
        assert "\x1b" not in bare and "as synonym lupus nephritis" in " ".join(bare.split())
        longest = max(map(len, bare.split("\n")))
        assert width - 15 < longest <= width
    without = _on_a_terminal(words, _environment(TERM="xterm-256color", COLUMNS="80", NO_COLOR="1"))
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]", without) and "NCT0" in without
    assert "\x1b" not in _on_a_terminal(words, _environment(TERM="dumb", COLUMNS="80"))


def test_force_color_colours_a_pipe(corpus_index: Path) -> None:
    words = [sys.executable, "-m", "trialsearch", "search", "lupus", "--index", str(corpus_index)]
    forced = subprocess.run(
        words, capture_output=True, env=_environment(FORCE_COLOR="1", TERM="xterm"), timeout=60
    )
    assert b"\x1b[1;33m" in forced.stdout
    plain = subprocess.run(words, capture_output=True, env=_environment(TERM="xterm"), timeout=60)
    assert b"\x1b" not in plain.stdout and plain.stdout


def test_a_terminal_sees_progress_and_a_pipe_does_not(tmp_path: Path) -> None:
    source = _write(tmp_path / "in", study("NCT00000001", BriefTitle="One"), study("NCT00000002"))
    words = ["index", str(source), "--index", str(tmp_path / "index")]
    printed = _on_a_terminal(words, _environment(TERM="xterm", COLUMNS="100"))
    assert "2 records" in printed and "left" in printed and "records read" in printed
    quiet = _on_a_terminal([*words, "--quiet"], _environment(TERM="xterm", COLUMNS="100"))
    assert quiet.strip() == ""
    done = subprocess.run([sys.executable, "-m", "trialsearch", *words], capture_output=True, timeout=60)
    assert done.stderr == b""


def test_progress_counts_the_files_of_folders_and_zips(tmp_path: Path) -> None:
    source = _write(tmp_path / "in", study("NCT00000001"), study("NCT00000002"))
    archive = shutil.make_archive(str(tmp_path / "packed"), "zip", source)
    assert estimate([source, Path(archive)]) == 4
    (source / "cut.zip").write_bytes(Path(archive).read_bytes()[:40])
    assert estimate([source]) == 3


@pytest.mark.parametrize("form", ["plain", "table", "jsonl", "csv", "ids"])
def test_a_closed_pipe_ends_quietly(corpus_index: Path, form: str) -> None:
    index = str(corpus_index)
    process = _started(
        "search", "ALL", "--limit", "all", "--format", form, "--index", index,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()  # the reader goes before anything is printed
    assert process.wait(60) == 141
    assert process.stderr.read() == b""
    process.stderr.close()


def test_a_reader_that_takes_one_line_gets_it(corpus_index: Path) -> None:
    command = f'"{sys.executable}" -m trialsearch search ALL -n all --index "{corpus_index}" | head -1'
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr, done.returncode) == ("63 trials for ALL\n", "", 0)


def test_a_terminal_that_cannot_show_a_letter_is_no_crash(corpus_index: Path) -> None:
    words = [sys.executable, "-m", "trialsearch", "search", "lupus", "--index", str(corpus_index)]
    for form in ("plain", "json"):
        done = subprocess.run(
            [*words, "--format", form],
            capture_output=True,
            env=_environment(PYTHONIOENCODING="ascii"),
            timeout=60,
        )
        assert done.returncode == 0 and done.stderr == b"" and done.stdout.isascii()
        if form == "plain":
            assert b"Completed - Phase 1 - Interventional - 1998-01 to 2002-11" in done.stdout
        if form == "json":
            assert json.loads(done.stdout)["total"] > 0


def test_letters_that_a_terminal_cannot_show_are_plainer_or_question_marks() -> None:
    from trialsearch.cli.printing import print_plainer_letters

    print_plainer_letters()
    plainer = "São Paulo … 狼 ≥ 2".encode("ascii", "trialsearch.plainer")
    assert plainer == b"Sao Paulo ... ? >= 2"
    assert "São … β".encode("latin-1", "trialsearch.plainer").decode("latin-1") == "São ... ?"


def test_help_explains_every_option(run: Run) -> None:
    top = run("--help").stdout
    assert "..." not in top.partition("Commands:")[2]  # no command is told in half a sentence
    context = click.Context(cli._root)
    for name in cli._root.list_commands(context):
        command = cli._root.get_command(context, name)
        assert command
        assert re.search(rf"^  {name} +\S", top, re.MULTILINE)
        text = run(name, "--help").stdout
        assert f"trialsearch {name}" in text.partition("\n\n")[2]  # an example
        for param in command.params:
            if param.param_type_name == "option":
                assert getattr(param, "help", None), (name, param.name)
                assert param.opts[0] in text
    assert "_TRIALSEARCH_COMPLETE" in top
    assert run("--version").stdout.startswith("trialsearch 0.")


def test_the_shell_completes_commands(corpus_index: Path) -> None:
    environment = _environment(
        _TRIALSEARCH_COMPLETE="bash_complete", COMP_WORDS="trialsearch se", COMP_CWORD="1"
    )
    done = subprocess.run(
        [str(Path(sys.executable).with_name("trialsearch"))], capture_output=True, text=True, env=environment
    )
    assert done.stdout.split() == ["plain,search"]


def test_the_default_place_is_the_folder_index(tmp_path: Path) -> None:
    environment = {key: value for key, value in _environment().items() if key != "TRIALSEARCH_INDEX"}
    (tmp_path / "index").mkdir()
    words = [sys.executable, "-m", "trialsearch"]
    done = subprocess.run(
        [*words, "index", str(ROOT / "corpus" / "NCT01539902.json")],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "index" / "trialsearch.json").is_file()

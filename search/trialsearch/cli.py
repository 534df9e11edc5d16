"""The command line: the one module with click, and the one place where an error becomes an exit code.

Data goes to stdout, everything else to stderr. Exit codes are grep's: 0 found, 1 nothing found, 2 wrong use
or an error; 130 after Ctrl-C, and 141 when the reader of a pipe has gone.

A search answers in about the time that Python takes to load click and numpy. So nothing but click is imported
before a command needs it, and no command is put together before it is asked for.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import gc
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from trialindex.errors import InvalidTrialId, TrialError

if TYPE_CHECKING:
    from trialindex.builder import Report
    from trialsearch.engine import TrialSearch
    from trialsearch.lines import Line
    from trialsearch.results import Results

__all__ = ["main"]

_FOUND, _NOTHING, _ERROR, _STOPPED, _NO_READER = 0, 1, 2, 130, 141
_PROBLEMS = 10
_PAGE_WIDTH = 100
_WIDTH, _NARROWEST = 80, 20
_NAMES_WIDTH = 21

Command = TypeVar("Command", bound=Callable[..., Any])


# --- how commands look and end ---


class _Option(click.Option):
    """An option that stands under a heading in the help."""

    def __init__(self, *args: Any, group: str = "Options", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.group = group


class _Helped(click.Command):
    """A command that explains `--help` in plain words: click looks for translations, of which it has none."""

    _help_option: click.Option | None = None

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        names = self.get_help_option_names(ctx)
        if self._help_option is None and names:
            self._help_option = _Option(
                names,
                group="Help",
                is_flag=True,
                is_eager=True,
                expose_value=False,
                callback=_print_help,
                help="Show this message and exit.",
            )
        return self._help_option


def _print_help(ctx: click.Context, param: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        click.echo(ctx.get_help(), color=ctx.color)
        ctx.exit()


class _Command(_Helped):
    """A command whose help lists its options under their headings, in the order of definition."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        groups: dict[str, list[tuple[str, str]]] = {}
        for param in self.get_params(ctx):
            record = None if isinstance(param, click.Argument) else param.get_help_record(ctx)
            if record is not None:
                # One width for all groups, so that the explanations stand under each other.
                name, text = record[0].ljust(_NAMES_WIDTH), record[1]
                groups.setdefault(getattr(param, "group", "Help"), []).append((name, text))
        for heading, records in groups.items():
            with formatter.section(heading):
                formatter.write_dl(records, col_max=_NAMES_WIDTH)


class _Group(_Helped, click.Group):
    """A command of commands: keeps their order, and puts one together when it is asked for.

    `instead`: what to do with words that are no command of it.
    """

    command_class = _Command

    def __init__(
        self, *args: Any, instead: str = "to search for it: trialsearch search", **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self._instead = instead
        self._later: dict[str, Callable[[], click.Command]] = {}

    def later(self, name: str, *decorators: Callable[[Command], Command]) -> Callable[[Command], Command]:
        """Return a decorator that makes a function a command, with the arguments and options that other
        decorators give it.
        """

        def add(function: Command) -> Command:
            @functools.cache
            def command() -> click.Command:
                decorated = function
                for decorator in reversed(decorators):
                    decorated = decorator(decorated)
                return click.command(name, cls=_Command)(decorated)

            self._later[name] = command
            return function

        return add

    def group_later(self, name: str, help: str, instead: str) -> _Group:
        """Return a group that is a command of this one, after those before it."""
        group = _Group(name, help=help, instead=instead)
        self._later[name] = lambda: group
        return group

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*self.commands, *self._later]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in self._later:
            return self._later[cmd_name]()
        return super().get_command(ctx, cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in self.list_commands(ctx) and not name.startswith("-"):
            import difflib

            near = difflib.get_close_matches(name.lower(), self.list_commands(ctx), n=1)
            meant = f"did you mean {near[0]}?" if near else f"{self._instead} {' '.join(args)[:200]}"
            ctx.fail(f"no command {name!r}: {meant}")
        return super().resolve_command(ctx, args)


class _Root(_Group):
    """The root command: turns errors into messages and exit codes."""

    def invoke(self, ctx: click.Context) -> Any:
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                # A terminal that cannot show a letter gets a question mark, never a traceback.
                stream.reconfigure(errors="replace")
        try:
            code = super().invoke(ctx)
            sys.stdout.flush()
        except TrialError as error:
            _say(f"trialsearch: {error}")
            ctx.exit(_ERROR)
        except BrokenPipeError:
            # Whatever is still waiting to be written goes nowhere, without a complaint at the end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(_NO_READER)
        except OSError as error:
            _say(f"trialsearch: {_reason(error, ctx)}")
            ctx.exit(_ERROR)
        except KeyboardInterrupt:
            _say("trialsearch: stopped")
            ctx.exit(_STOPPED)
        ctx.exit(code if isinstance(code, int) else _FOUND)


def _reason(error: OSError, ctx: click.Context) -> str:
    place = error.filename or ctx.meta.get(_FOLDER) or ""
    if isinstance(place, bytes):
        place = os.fsdecode(place)
    remedies = {
        errno.ENOSPC: "free some space and run the same command again; what was committed stays",
        errno.EACCES: "check the permissions, or name another place with --index",
        errno.EROFS: "name another place with --index",
    }
    what = (error.strerror or str(error) or type(error).__name__).lower()
    remedy = remedies.get(error.errno or 0)
    return f"{what}{f': {place}' if place else ''}{f' ({remedy})' if remedy else ''}"


def _say(text: str) -> None:
    """Print something that is not data."""
    from trialsearch.lines import clean

    with contextlib.suppress(BrokenPipeError):
        for line in text.split("\n"):
            print(clean(line), file=sys.stderr)


def _write(lines: Iterable[str]) -> None:
    """Print data."""
    for line in lines:
        sys.stdout.write(line + "\n")


def _terminal() -> bool:
    """Whether people look at stdout: it is a terminal, or FORCE_COLOR says so."""
    return sys.stdout.isatty() or bool(os.environ.get("FORCE_COLOR"))


def _styles() -> bool:
    """Whether the terminal shows bold text and the like."""
    if os.environ.get("TERM", "").lower() in {"dumb", "unknown"}:
        return False
    # Of Windows' consoles, those that understand escape sequences say so in one of these.
    return os.name != "nt" or bool({"WT_SESSION", "TERM"} & os.environ.keys())


def _width() -> int:
    """Return the columns of the terminal, by COLUMNS or by what it says itself; 80 where neither tells."""
    if os.environ.get("COLUMNS", "").isdecimal():
        return max(int(os.environ["COLUMNS"]), 1)
    for stream in (0, 1, 2):
        with contextlib.suppress(OSError):
            return os.get_terminal_size(stream).columns or _WIDTH
    return _WIDTH


def _print(lines: Iterable[Line], styled: bool) -> None:
    """Print lines for a person: broken to the width and styled, or plain."""
    from trialsearch.lines import painted, plain, wrapped

    if not styled:
        _write(plain(lines))
        return
    styles, colour = _styles(), not os.environ.get("NO_COLOR")
    for pieces in wrapped(lines, max(_width(), _NARROWEST)):
        _write([painted(pieces, colour) if styles else "".join(text for text, _ in pieces)])


def _bold(text: str) -> str:
    return click.style(text, bold=True)


def _ascii_only() -> bool:
    return not (sys.stdout.encoding or "").lower().replace("-", "").startswith("utf")


# --- the index ---

_FOLDER = "trialsearch.index"


class _Text(click.ParamType):  # type: ignore[type-arg, unused-ignore]
    """Text that can be written: bytes of the command line that are no text become question marks."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        return str(value).encode("utf-8", "replace").decode("utf-8")


class _Number(click.ParamType):  # type: ignore[type-arg, unused-ignore]
    """A number, 0 or more; where it is a limit, also `all`, which is None."""

    name = "number"

    def __init__(self, all_too: bool = False) -> None:
        self.all_too = all_too

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | None:
        text = str(value).strip().lower()
        if self.all_too and text == "all":
            return None
        if not re.fullmatch(r"[0-9]{1,9}", text):
            self.fail(f"{value!r} is no number: write 20{', or all' if self.all_too else ''}", param, ctx)
        return int(text)


class _Memory(click.ParamType):  # type: ignore[type-arg, unused-ignore]
    """An amount of memory, in bytes."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        found = re.fullmatch(r"([0-9]{1,15})([KMG]?)B?", str(value).strip().upper())
        if found is None:
            self.fail(f"{value!r} is no amount of memory: write 500M, or 2G", param, ctx)
        return int(found[1]) << {"": 0, "K": 10, "M": 20, "G": 30}[found[2]]


_TEXT = _Text()


def _index_option(command: Command) -> Command:
    return click.option(
        "--index",
        "folder",
        type=click.Path(path_type=Path),
        metavar="DIR",
        cls=_Option,
        group="Index",
        help="Where the index is. Without it: $TRIALSEARCH_INDEX, else ./index where that folder exists, "
        "else your data folder.",
    )(command)


def _json_option(help: str) -> Callable[[Command], Command]:
    return click.option("--json", "as_json", is_flag=True, cls=_Option, group="Output", help=help)


def _place(folder: Path | None) -> Path:
    """Return the folder of the index, and remember it for error messages."""
    from trialsearch.engine import default_index

    chosen = default_index() if folder is None else folder
    click.get_current_context().meta[_FOLDER] = str(chosen)
    return chosen


@contextlib.contextmanager
def _opened(folder: Path | None) -> Iterator[TrialSearch]:
    from trialsearch.engine import TrialSearch

    with TrialSearch.open(_place(folder)) as trials:
        yield trials


def _known_id(text: str) -> str:
    """Return an id as an index knows it: an NCT id in the registry's spelling, any other as typed."""
    from trialindex.registry_ids import canonical

    try:
        return canonical(text)
    except InvalidTrialId:
        return text.strip()


def _near_ids(trials: TrialSearch, identifier: str) -> list[str]:
    """Return ids of the index that differ from one by a slip of the hand, and those of the trials that
    have it as another id.
    """
    slips: dict[str, None] = {}
    if re.fullmatch(r"[Nn][Cc][Tt]\d{5,10}", identifier):
        digits = identifier[3:]
        for place in range(len(digits) + 1):
            head, tail = digits[:place], digits[place:]
            slips |= dict.fromkeys(head + new + tail for new in "0123456789")
            slips |= dict.fromkeys([head + tail[1:]] + [head + new + tail[1:] for new in "0123456789"])
            slips |= dict.fromkeys([head + tail[1:2] + tail[:1] + tail[2:]])
    near = [f"NCT{digits}" for digits in slips if len(digits) == 8 and f"NCT{digits}" in trials]
    if not near and identifier:
        quoted = '"' + re.sub(r'([\\"])', r"\\\1", identifier[:100]) + '"'
        near = [hit.id for hit in trials.search(id=quoted, limit=3)]
    return near[:3]


def _missing(trials: TrialSearch, identifier: str, folder: object) -> None:
    near = _near_ids(trials, identifier)
    remedy = f"near it: {', '.join(near)}" if near else "index a file that has it: trialsearch index SOURCE"
    _say(f"trialsearch: no trial {identifier} in the index {folder}; {remedy}")


# --- the commands ---


@click.group(
    cls=_Root,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="""\b
    Shell completion: put the line of your shell into its start file.
      bash  eval "$(_TRIALSEARCH_COMPLETE=bash_source trialsearch)"
      zsh   eval "$(_TRIALSEARCH_COMPLETE=zsh_source trialsearch)"
      fish  _TRIALSEARCH_COMPLETE=fish_source trialsearch | source""",
)
@click.version_option(package_name="trialsearch", message="%(prog)s %(version)s", prog_name="trialsearch")
def _root() -> None:
    """Full-text search over clinical-trial records, on your own machine.

    \b
    trialsearch index downloads.zip        build or update an index
    trialsearch search umbilical cord MSC  ask it
    trialsearch show NCT01539902           read one trial

    Exit codes: 0 found, 1 nothing found, 2 wrong use or an error.
    """


@_root.command("index")
@click.argument("sources", nargs=-1, type=click.Path(path_type=Path), metavar="SOURCE...")
@_index_option
@click.option(
    "--rebuild",
    is_flag=True,
    cls=_Option,
    group="Index",
    help="First build the index anew from the records that it holds; needs no SOURCE.",
)
@click.option(
    "--memory",
    type=_Memory(),
    default="1G",
    metavar="SIZE",
    cls=_Option,
    group="Speed",
    help="What all processes together may take, 200M or more; 1G without it. More memory lets more of them "
    "read.",
)
@click.option(
    "--workers",
    type=_Number(),
    metavar="N",
    cls=_Option,
    group="Speed",
    help="Processes that read. Without it one a core, as far as memory goes; 1 for small sources.",
)
@click.option(
    "--quiet",
    "-q",
    is_flag=True,
    cls=_Option,
    group="Output",
    help="Print errors only.",
)
def _index(
    sources: tuple[Path, ...],
    folder: Path | None,
    rebuild: bool,
    memory: int,
    workers: int | None,
    quiet: bool,
) -> int:
    """Create or update an index from files, archives and folders of trial records.

    A SOURCE is a registry download (JSON, XML, CSV), a saved trial page, a .gz or .zip of them, or a folder.
    A newer record of a trial takes the place of the older; the same input again changes nothing.

    \b
    trialsearch index downloads.zip pages/
    trialsearch index ctg-studies.csv --index lupus
    trialsearch index --rebuild
    """
    if not sources and not rebuild:
        raise click.UsageError("name a file, an archive or a folder: trialsearch index downloads.zip")
    place = _place(folder)
    if rebuild:
        _rebuild(place, memory, quiet)
    return _build(sources, place, memory, workers, quiet) if sources else _FOUND


def _rebuild(place: Path, memory: int, quiet: bool) -> None:
    from trialindex import builder

    if sys.stderr.isatty() and not quiet:
        _say("building the index anew from its own records ...")
    trials = builder.rebuild(place, memory=memory)
    if not quiet:
        _write([f"rebuilt from its own records: {trials:,} trials in {place}"])


def _build(sources: Sequence[Path], place: Path, memory: int, workers: int | None, quiet: bool) -> int:
    from trialindex import builder
    from trialindex.contents import exists
    from trialsearch import render

    try:
        if sys.stderr.isatty() and not quiet:
            from trialsearch.progress import Meter, estimate

            with Meter(estimate(sources), sys.stderr) as meter:
                report = builder.build(sources, place, progress=meter.update, memory=memory, workers=workers)
        else:
            report = builder.build(sources, place, memory=memory, workers=workers)
    except KeyboardInterrupt:
        held = builder.count(place) if exists(place) else 0
        _say(
            f"stopped: what was committed stays ({render.counted(held, 'trial')} in the index); "
            "run the same command again to go on"
        )
        return _STOPPED
    if not quiet:
        _print(render.report_lines(report, str(place)), styled=False)
        _say_problems(report)
    if report.rejected:
        _say(f"{report.rejected:,} rejected, set aside whole in {report.rejects}")
    if report.records == report.rejected:
        _say("trialsearch: no trial record in these sources")
        return _NOTHING
    return _FOUND


def _say_problems(report: Report) -> None:
    """Print the first problems with their places, and the kinds of odd values."""
    for line in report.problems[:_PROBLEMS]:
        _say(f"  {line}")
    total = report.rejected + report.odd
    if total > _PROBLEMS and len(report.problems) > _PROBLEMS:
        _say(f"  and {total - _PROBLEMS:,} more")
    if report.odd > _PROBLEMS:
        _say("odd values, by kind:")
        for (field, reason), number in report.odd_kinds.most_common(_PROBLEMS):
            _say(f"  {number:>7,}  {field}: {reason}")


_AREAS = "Words in one place"
_FILTERS = "Filters (do not touch the order)"
_ORDER = "Order and size"
_MEANING = "How words are taken"
_OUTPUT = "Output"

# The options of search, in the order of the help: name, heading, what click should know.
_SEARCH_OPTIONS: tuple[tuple[tuple[str, ...], str, dict[str, Any]], ...] = (
    (("--cond",), _AREAS, {"help": "Condition: --cond 'lupus nephritis'"}),
    (("--intr",), _AREAS, {"help": "Intervention: --intr 'stem cells OR rituximab'"}),
    (("--title",), _AREAS, {"help": "Titles and acronym: --title placebo"}),
    (("--outcome",), _AREAS, {"help": "Outcome measures: --outcome proteinuria"}),
    (("--sponsor",), _AREAS, {"help": "Sponsor and collaborators: --sponsor NIAID"}),
    (("--location",), _AREAS, {"help": "Site, city, state, country: --location Nanjing"}),
    (("--id",), _AREAS, {"help": "Any id of a trial, or several: --id NCT01539902,NCT03458156"}),
    (("--inclusion",), _AREAS, {"help": "Inclusion criteria: --inclusion 'class IV'"}),
    (("--exclusion",), _AREAS, {"help": "Exclusion criteria: --exclusion pregnancy"}),
    (
        ("--everywhere",),
        _AREAS,
        {"is_flag": True, "help": "Plain words also ask criteria, descriptions and results."},
    ),
    (("--status",), _FILTERS, {"multiple": True, "help": "Status: --status recruiting,not_yet_recruiting"}),
    (
        ("--phase",),
        _FILTERS,
        {"multiple": True, "help": "Phase: --phase 2; either: --phase 1,2; both: --phase 1/2"},
    ),
    (("--type",), _FILTERS, {"multiple": True, "help": "Type of study: --type observational"}),
    (("--sex",), _FILTERS, {"help": "A patient's sex; trials for all answer too: --sex female"}),
    (("--age",), _FILTERS, {"help": "A patient's age: --age 34, --age '6 months'"}),
    (
        ("--country",),
        _FILTERS,
        {"multiple": True, "help": "Country of a site: --country China --country Japan"},
    ),
    (
        ("--start",),
        _FILTERS,
        {"metavar": "FROM..TO", "help": "Start date: --start 2012..2013-06, --start 2020.."},
    ),
    (("--updated",), _FILTERS, {"metavar": "FROM..TO", "help": "Last update: --updated 2024-01.."}),
    (
        ("--with-results/--without-results",),
        _FILTERS,
        {"default": None, "help": "Only trials with, or only without, posted results."},
    ),
    (
        ("--sort",),
        _ORDER,
        {
            "default": "relevance",
            "help": "relevance, updated, start, completion, posted, enrollment or id; :asc or :desc turns it "
            "round: --sort start:asc",
        },
    ),
    (
        ("--limit", "-n"),
        _ORDER,
        {
            "type": _Number(all_too=True),
            "metavar": "N",
            "default": 10,
            "help": "Trials to print, 10 unless told: --limit 50, -n all",
        },
    ),
    (
        ("--offset",),
        _ORDER,
        {"type": _Number(), "metavar": "N", "default": 0, "help": "Trials to pass over: --offset 10"},
    ),
    (
        ("--no-fuzzy",),
        _MEANING,
        {"is_flag": True, "help": "Misspelt names as typed: no rituximab for rituximb."},
    ),
    (("--no-synonyms",), _MEANING, {"is_flag": True, "help": "No other names: LN finds no lupus nephritis."}),
    (("--exact",), _MEANING, {"is_flag": True, "help": "Both of these."}),
    (("--count",), _OUTPUT, {"is_flag": True, "help": "Print only the number of trials found."}),
    (
        ("--explain",),
        _OUTPUT,
        {"is_flag": True, "help": "Print the query as understood, and how each score is made up."},
    ),
    (
        ("--format", "format_"),
        _OUTPUT,
        {
            "type": click.Choice(["table", "plain", "json", "jsonl", "csv", "ids"]),
            "metavar": "FORMAT",
            "help": "table (on a terminal), plain (in a pipe), json, jsonl, csv or ids: --format csv",
        },
    ),
)


def _with(options: Iterable[tuple[tuple[str, ...], str, dict[str, Any]]]) -> Callable[[Command], Command]:
    """Return a decorator that adds options."""

    def add(command: Command) -> Command:
        for names, group, settings in reversed(tuple(options)):
            plain = not {"type", "is_flag", "default"} & settings.keys()
            typed = {"type": _TEXT, **settings} if plain else settings
            command = click.option(*names, cls=_Option, group=group, **typed)(command)
        return command

    return add


def _chosen(*names: str) -> Iterable[tuple[tuple[str, ...], str, dict[str, Any]]]:
    return (option for option in _SEARCH_OPTIONS if option[0][0] in names)


@_root.later("search", click.argument("words", nargs=-1, type=_TEXT), _with(_SEARCH_OPTIONS), _index_option)
def _search(words: tuple[str, ...], folder: Path | None, **options: Any) -> int:
    """Find trials that have all the WORDS, or synonyms of them.

    Words, "phrases" (in quotes that the shell leaves: '"lupus nephritis"'), AND OR NOT and parentheses,
    field:word as in phase:2 or title:lupus. Options may stand alone, without words. ALL is every trial.

    \b
    trialsearch search umbilical cord MSC for LN
    trialsearch search lupus --intr 'stem cells' --phase 2 --status recruiting
    trialsearch search 'scleroderma AND (mesenchymal OR "stem cell")' --sort start
    trialsearch search --cond asthma --age 8 --format ids
    """
    from trialsearch import render

    text = " ".join(words).strip()
    shape = {name: options.pop(name) for name in ("limit", "offset", "count", "explain", "format_", "exact")}
    fuzzy = not (options.pop("no_fuzzy") or shape["exact"])
    synonyms = not (options.pop("no_synonyms") or shape["exact"])
    asked = {name: value for name, value in options.items() if value not in (None, (), "")}
    if not text and not _narrows(asked):
        raise click.UsageError(
            "nothing to search for: give words (trialsearch search lupus), a filter (--phase 2), "
            "or ALL for every trial"
        )
    limit = 0 if shape["count"] else shape["limit"]
    with _opened(folder) as trials:
        results = trials.search(
            text, **asked, limit=limit, offset=shape["offset"], fuzzy=fuzzy, synonyms=synonyms
        )
        if shape["count"]:
            _write([str(results.total)])
        else:
            lines = render.answer(
                results, limit=limit, explain=shape["explain"], everywhere=options["everywhere"]
            )
            _print_results(results, lines, shape["format_"], limit, shape["explain"])
        return _FOUND if results.total else _NOTHING


def _narrows(asked: dict[str, Any]) -> bool:
    """Whether options alone are a query."""
    return any(
        value.strip() if isinstance(value, str) else True
        for name, value in asked.items()
        if name not in {"everywhere", "sort"}
    )


def _print_results(
    results: Results, lines: Iterable[Line], form: str | None, limit: int | None, explain: bool
) -> None:
    from trialsearch import export

    form = form or ("table" if _terminal() else "plain")
    ascii_only = _ascii_only()
    if form == "json":
        _write([export.as_json(results, limit=limit, explain=explain, ascii_only=ascii_only)])
    elif form == "jsonl":
        _write(export.as_jsonl(results, explain=explain, ascii_only=ascii_only))
    elif form == "csv":
        _write(export.as_csv(results))
    elif form == "ids":
        _write(export.as_ids(results))
    else:
        _print(lines, styled=form == "table")


@_root.later(
    "show",
    click.argument("identifier", metavar="ID", type=_TEXT),
    _json_option("Print the stored record: the registry's structure, and where it came from."),
    _index_option,
)
def _show(identifier: str, as_json: bool, folder: Path | None) -> int:
    """Print one trial, by its id or a former id.

    \b
    trialsearch show NCT01539902
    trialsearch show nct01539902 --json
    """
    from trialsearch import export

    wanted = _known_id(identifier)
    with _opened(folder) as trials:
        try:
            study = trials.study(wanted)
        except KeyError:
            _missing(trials, wanted, click.get_current_context().meta[_FOLDER])
            return _NOTHING
    if as_json:
        _write([export.dumped(study, indent=2, ascii_only=_ascii_only())])
        return _FOUND
    from trialsearch.show import show_text

    if not _terminal():
        _write([show_text(study, _PAGE_WIDTH)])
        return _FOUND
    _write([show_text(study, min(_width(), _PAGE_WIDTH + 10), _bold if _styles() else str)])
    return _FOUND


@_root.later(
    "similar",
    click.argument("identifier", metavar="ID", type=_TEXT),
    _with(_chosen("--limit", "--explain", "--format")),
    _index_option,
)
def _similar(
    identifier: str, limit: int | None, explain: bool, format_: str | None, folder: Path | None
) -> int:
    """Find the trials most like one trial: those that share its most telling words.

    \b
    trialsearch similar NCT01539902 --limit 5
    """
    from trialindex.summary import Summary
    from trialsearch import render

    wanted = _known_id(identifier)
    with _opened(folder) as trials:
        try:
            like = Summary(trials.study(wanted))
            results = trials.similar(wanted, limit=len(trials) if limit is None else limit)
        except KeyError:
            _missing(trials, wanted, click.get_current_context().meta[_FOLDER])
            return _NOTHING
        _print_results(results, render.likeness(results, like, explain), format_, limit, explain)
        return _FOUND if results.total else _NOTHING


@_root.later(
    "suggest",
    click.argument("prefix", nargs=-1, required=True, type=_TEXT),
    _with(_chosen("--limit")),
    _index_option,
)
def _suggest(prefix: tuple[str, ...], limit: int | None, folder: Path | None) -> int:
    """List names of conditions and interventions that have a word beginning with PREFIX.

    Where few begin so, names follow that begin nearly so. In a pipe, parted by tabs: name, kind, number of
    trials, the name of the same thing that begins so where this one does not, and what was taken for PREFIX.

    \b
    trialsearch suggest cyclo
    trialsearch suggest 'lupus n'
    """
    from trialsearch import render
    from trialsearch.lines import clean

    text = " ".join(prefix)
    with _opened(folder) as trials:
        found = trials.suggest(text, limit=sys.maxsize if limit is None else limit)
    if not found:
        _say(f"trialsearch: no name of a condition or an intervention has a word that begins with {text!r}")
        return _NOTHING
    if _terminal():
        _print(render.names(found), styled=True)
    else:
        _write(
            "\t".join(
                (clean(one.name), one.kind, str(one.trials), clean(one.via), clean(one.corrected))
            ).rstrip("\t")
            for one in found
        )
    return _FOUND


_vocab = _root.group_later(
    "vocab",
    """See what a name means to an index, and add names of your own.

    \b
    trialsearch vocab show LN
    trialsearch vocab add names.tsv
    """,
    "to see what it means: trialsearch vocab show",
)


@_vocab.later(
    "show",
    click.argument("term", nargs=-1, required=True, type=_TEXT),
    _json_option("Print all of it as JSON."),
    _index_option,
)
def _vocab_show(term: tuple[str, ...], as_json: bool, folder: Path | None) -> int:
    """Tell what TERM means, and what a search for it looks for.

    Its other names, each with its source and the number of trials that have it; what trials define and call
    so; broader and narrower things. Exit code 1 where TERM names nothing.

    \b
    trialsearch vocab show LN
    trialsearch vocab show lupus nephritis --json
    """
    from trialsearch import export, vocab_text

    text = " ".join(term).strip()
    if not text:
        raise click.UsageError("name something: trialsearch vocab show LN")
    with _opened(folder) as trials:
        found = trials.meanings(text)
    if as_json:
        _write([export.dumped(vocab_text.as_dict(found), indent=2, ascii_only=_ascii_only())])
    elif found.things:
        _print(vocab_text.lines(found), styled=_terminal())
    if not found.things:
        _say(vocab_text.unknown(found))
        return _NOTHING
    return _FOUND


@_vocab.later(
    "add",
    click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE..."),
    _index_option,
    click.option(
        "--memory",
        type=_Memory(),
        default="1G",
        metavar="SIZE",
        cls=_Option,
        group="Speed",
        help="What linking may take beside the names themselves, 200M or more; 1G without it.",
    ),
    click.option("--quiet", "-q", is_flag=True, cls=_Option, group="Output", help="Print errors only."),
)
def _vocab_add(files: tuple[Path, ...], folder: Path | None, memory: int, quiet: bool) -> int:
    """Add the names of vocabulary files to an index, and link its trials with them.

    A FILE is MeSH descriptors (desc2025.xml), an ontology in OBO or OBO JSON (MONDO, DOID, HPO), RxNorm's
    RXNCONSO.RRF, DrugBank's open vocabulary CSV, Drugs@FDA's Products.txt, or a table of your own: a name, a
    tab, another name of the same thing, and perhaps a tab and its kind (condition, intervention, procedure).
    It may be gzipped or in a zip. A file that is added again takes the place of what it said before; a
    rebuild keeps the names.

    \b
    trialsearch vocab add names.tsv
    trialsearch vocab add RXNCONSO.RRF 'drugbank vocabulary.csv' --index lupus
    """
    from trialindex import builder
    from trialsearch import vocab_text

    place = _place(folder)
    if sys.stderr.isatty() and not quiet:
        from trialsearch.progress import Linking

        with Linking(sys.stderr) as line:
            report = builder.add_vocabulary(files, place, memory=memory, progress=line.update)
    else:
        report = builder.add_vocabulary(files, place, memory=memory)
    if not quiet:
        _print(vocab_text.added_lines(report, str(place)), styled=False)
    for row in vocab_text.odd_rows(report):
        _say(row)
    return _FOUND


@_root.later("stats", _json_option("Print the figures as JSON."), _index_option)
def _stats(as_json: bool, folder: Path | None) -> int:
    """Count what an index holds: trials, sources, statuses, phases, types, years.

    \b
    trialsearch stats
    trialsearch stats --index lupus --json
    """
    from trialindex.snapshot import stored_studies
    from trialsearch import export, stats

    place = _place(folder)
    with _opened(place) as trials:
        held = len(trials)  # an index that is missing or of another version is told apart here
    figures = stats.gathered(stored_studies(place), place)
    if as_json:
        _write([export.dumped(stats.as_dict(figures), indent=2, ascii_only=_ascii_only())])
    else:
        _print(stats.lines(figures, str(place)), styled=_terminal())
    return _FOUND if held else _NOTHING


@_root.later(
    "delete",
    click.argument("identifiers", nargs=-1, required=True, metavar="ID...", type=_TEXT),
    _index_option,
)
def _delete(identifiers: tuple[str, ...], folder: Path | None) -> int:
    """Delete trials from an index, by their ids or former ids. Exit code 1 if one was not there.

    \b
    trialsearch delete NCT01539902 NCT03458156
    """
    from trialindex import builder

    place = _place(folder)
    deleted, missing = builder.delete([_known_id(text) for text in identifiers], place)
    _write(f"deleted {key}" for key in deleted)
    for name in missing:
        _say(f"trialsearch: no trial {name} in the index {place}")
    return _NOTHING if missing else _FOUND


@_root.later("verify", _index_option)
def _verify(folder: Path | None) -> int:
    """Compare every trial of an index with its stored record, and print what differs.

    Exit code 0 when all is well, 2 when something differs.

    \b
    trialsearch verify --index lupus
    """
    from trialindex import builder
    from trialindex.verify import verify
    from trialsearch import render
    from trialsearch.lines import clean

    place = _place(folder)
    differing = verify(place)
    if differing:
        _write(clean(line) for line in differing)
        _say(
            f"trialsearch: {render.counted(len(differing), 'difference')} in {place}: "
            f"build it again from its sources, or, where its records can still be read, with "
            f"`trialsearch index --rebuild --index {place}`"
        )
        return _ERROR
    _write([f"all is well: {render.counted(builder.count(place), 'trial')} in {place}"])
    return _FOUND


# A search multiplies no matrices: threads that numpy's libraries start for that only cost time.
_THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
# Of what modules and tables make when they are loaded nothing is ever garbage: Python is to look for it less
# often than after every 700 objects.
_OBJECTS_BETWEEN_COLLECTIONS = 100_000


def main() -> None:
    """Run the command line."""
    for name in _THREADS:
        os.environ.setdefault(name, "1")
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    try:
        _root(prog_name="trialsearch")
    except SystemExit as end:
        _leave(end.code)
        raise


def _leave(code: object) -> None:
    """End the process at once where nothing is left to do: taking all modules down takes as long as a search.

    Where an index was written, or something cannot be flushed, it returns, and the process ends as usual.
    """
    if not isinstance(code, int) or "trialindex.builder" in sys.modules:
        return
    with contextlib.suppress(OSError):
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
        os._exit(code)

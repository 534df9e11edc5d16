"""Text into terms, the same way when a trial is stored and when a query is asked.

What meets: case and accents; plurals, possessives and stems; British and American spelling; Greek letters
and their names; hyphens, spaces and nothing between a name and its number. What stays apart: numbers, and
acronyms that look like plurals or function words.

>>> "betablock" in terms("β-blockers") and terms("beta blocker") == terms("Beta Blockers")
True
>>> terms("edema") == terms("Oedema") and terms("MSCs") == terms("MSC")
True
>>> "il2" in terms("IL-2"), "il2" in terms("IL 2"), "il2" in terms("IL2"), "il2" in terms("IL-12")
(True, True, True, False)
>>> terms("hearing aids"), terms("patients with AIDS")
(['hear', 'aid'], ['patient', 'aids'])
>>> terms("relapsed ALL in all patients")
['relaps', 'ALL', 'patient']

How: a text is cut into atoms (a word, a number, a Greek letter), each a term at a position of its own.
Atoms joined by a hyphen or by nothing (`IL-2`, `HER2`, `follow-up`), and a short name and its number parted
by a space (`IL 2`), also make one compound term at the position of their first atom. Function words take a
position and leave no term; written in capitals (`ALL`, `WHO`) they are acronyms and keep their capitals as
a term, which no other term has.

A query is cut by the same atoms into units (`units`): what has to be found, each with the ways of writing it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from itertools import pairwise
from operator import itemgetter
from typing import NamedTuple

import Stemmer

from trialindex.spelling import american, singular

__all__ = [
    "STOP_WORDS",
    "VALUE_GAP",
    "Piece",
    "Token",
    "Unit",
    "fold",
    "lone_words",
    "normal_words",
    "piece",
    "plain_term",
    "prepare",
    "shouts",
    "terms",
    "tokens",
    "units",
    "value_tokens",
]

# Positions between two values of one field: no phrase spans two conditions.
VALUE_GAP = 16

STOP_WORDS = frozenset(
    """a all an and are as at be been being by can could did do does for from had has have he her his how if
    in into is it its may of on or our she should so such than that the their them then there these they
    this those to was we were what when where which while who whom will with would you your""".split()
)

# Those that stand for nothing in capitals either: CANCER OF THE LUNG.
_NEVER_ACRONYMS = frozenset(
    """a and been being by could does for from have how into its of our should so such than that the their
    them then there these they this those to we were what when where which while whom will with would you
    your""".split()
)

# Acronyms whose last S is no plural: the form without it is another word.
_NO_PLURAL = frozenset("aids caps dots pans pandas hits lams pets maps".split())

# Words that a number belongs to, however far from an acronym they look: `type 2`, `factor VIII`.
_NUMBERED = frozenset(
    """type phase stage grade class factor group level cohort arm part step interleukin interferon vitamin
    omega covid influenza hepatitis protein receptor human trial version category line alpha beta gamma delta
    kappa""".split()
)
# Short words that count and name nothing: whoever asks for `day 28` wants the `28-day mortality` too.
_COUNTING = frozenset(
    """day days week year hour hrs min dose age aged ages mean over past last next time per plus each
    only mg ml kg cm mm""".split()
)
# Words that are one word, spelt in two ways.
_SAME = {"alfa": "alpha", "mcg": "ug"}
_ROMAN = {
    numeral: str(number)
    for number, numeral in enumerate("I II III IV V VI VII VIII IX X XI XII XIII".split(), start=1)
}

# Letters of a name that a number belongs to, and of a numeral.
_LONGEST_BOUND = 4
_LONGEST_NUMERAL = max(map(len, _ROMAN))

_DROPPED = "\u00ad\u200b\u200c\u200d\u2060\ufeff"
_MICRO = re.compile(r"[µμ](?=(?:g|l|m|mol|M|L|U|IU|Ci|Sv|Gy|s|V|A|W|Eq)\b)")
_GREEK_LETTERS = "Α-ΡΣ-Ωα-ωϐϑϕ"
_IDEOGRAPHS = r"\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
_FIRST_IDEOGRAPH = "\u3040"


_NUMBER = r"\d+(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_NUMBERS = re.compile(rf"(?:{_NUMBER})(?:-(?:{_NUMBER}))*")
# A word in marks that no other word is read with.
_LONE = re.compile(r"[(\[]?([A-Za-z]+(?:'[A-Za-z]+)?)[])},;:.]*")


def _atom_pattern(ideographs: str) -> re.Pattern[str]:
    return re.compile(
        rf"(?P<number>{_NUMBER})"
        rf"|(?P<greek>[{_GREEK_LETTERS}])"
        rf"|(?P<word>[^\W\d_{_GREEK_LETTERS}{ideographs}]+(?:['’][^\W\d_{_GREEK_LETTERS}]+)?)"
        + (rf"|(?P<ideograph>[{ideographs}])" if ideographs else "")
    )


_ATOM = _atom_pattern("")


@cache
def _atom_or_ideograph() -> re.Pattern[str]:
    """Return the pattern for texts that may have ideographs: sets so large take milliseconds to compile."""
    return _atom_pattern(_IDEOGRAPHS)


_GREEK_NAMES = """alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho
sigma sigma tau upsilon phi chi psi omega beta theta phi""".split()
_GREEK = dict(zip("αβγδεζηθικλμνξοπρσςτυφχψωϐϑϕ", _GREEK_NAMES, strict=True))
_LATIN = str.maketrans(
    {"æ": "ae", "œ": "oe", "ø": "o", "ß": "ss", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"}
)
# What stands between two atoms -> how they are joined (`_Atom.joint`).
_JOINTS = {"": "", " ": " ", "/": "/"} | dict.fromkeys("-‐‑‒–−", "-")
_ACRONYM = re.compile(r"[A-Z]{2,6}")
_ACRONYM_PLURAL = re.compile(r"([A-Z]{2,6})s")
_POSSESSIVES = frozenset(("'s", "’s", "'S", "’S"))
_GLUED = frozenset(("", "-"))
_LONGEST_COMPOUND = 28
_MOST_JOINED = 6  # atoms of a compound
_LONGEST_TERM = 64
# No cache of its own: `_normal` has one, and so nothing is kept from word to word that threads could share.
_STEM = Stemmer.Stemmer("english", 0).stemWord

# What binds two pieces of text over one space (`Piece.tail` and `Piece.head`): a word that a number belongs
# to, before a number, a numeral or an `a`; a short name before a number; a name of two letters before a
# letter and a number; an `a`, which is a name only after a word of the first kind, before a number.
_BY_WORD, _BY_NAME, _BY_LETTER, LONE_A = 1, 2, 4, 8
NUMBER = _BY_NAME


class Token(NamedTuple):
    """A term at a place: `position` counts atoms from 0, `start` and `end` are offsets into the prepared
    text.
    """

    term: str
    position: int
    start: int
    end: int


class Unit(NamedTuple):
    """One thing that a query asks for.

    `text`: as typed. `alternatives`: the ways in which the index may hold it, each one term or, for a
    compound that others write apart, several terms side by side ("" is any word). Never empty.
    """

    text: str
    alternatives: tuple[tuple[str, ...], ...]

    @property
    def key(self) -> str:
        """The word by which names are compared: the unit's first way of writing."""
        return " ".join(self.alternatives[0])


class Piece(NamedTuple):
    """The tokens of a part of a prepared text that begins and ends at a space or at the text's ends.

    `size`: how many atoms. `terms` and `places`: as many tokens each, places counted from 0 and ascending.
    `head` and `tail`: what the piece may be to the one before it and the one after it. Two pieces parted by
    exactly one space have to be read as one where `before.tail & after.head` is not 0, and, if the one in
    front of `before` is read with it, where `before.tail & LONE_A` and `after.head & NUMBER` are not;
    elsewhere the tokens of a text are those of its pieces.
    """

    size: int
    terms: tuple[str, ...]
    places: tuple[int, ...]
    head: int
    tail: int


NO_TERM = Piece(1, (), (), 0, 0)


class _Atom:
    """A part of a text as it is written (`raw`).

    `joint`: what stands between it and the one before, "", "-", " ", "/" or "|" for anything else. `plain`:
    folded, a numeral as its number: what compounds are made of.
    """

    __slots__ = ("end", "joint", "kind", "plain", "raw", "start", "terms")

    def __init__(
        self, kind: str, raw: str, start: int, end: int, joint: str, terms: tuple[str, ...], plain: str
    ) -> None:
        self.kind = kind
        self.raw = raw
        self.start = start
        self.end = end
        self.joint = joint
        self.terms = terms
        self.plain = plain


def prepare(text: str) -> str:
    """Return the text that offsets refer to: composed characters, invisible ones dropped, the micro sign
    of units as u.
    """
    if text.isascii():
        return text
    for invisible in _DROPPED:
        text = text.replace(invisible, "")
    composed = unicodedata.normalize("NFC", text)
    if "µ" in composed or "μ" in composed:
        return _MICRO.sub("u", composed).replace("µ", "μ")
    return composed


@lru_cache(maxsize=200_000)
def fold(word: str) -> str:
    """Return a word without case, accents, ligatures and apostrophes.

    >>> fold("Sjögren's"), fold("Straße"), fold("10⁶")
    ('sjogrens', 'strasse', '106')
    """
    if word.isascii():
        return word.lower().replace("'", "")
    lowered = unicodedata.normalize("NFKD", word.casefold().translate(_LATIN))
    return (
        "".join(char for char in lowered if not unicodedata.combining(char)).replace("’", "").replace("'", "")
    )


@lru_cache(maxsize=200_000)
def _normal(word: str) -> str:
    """Return the term of a folded word: American spelling, singular, stem."""
    if len(word) < 4 or not word.isalpha():
        return word[:_LONGEST_TERM]
    return str(_STEM(singular(american(word))))[:_LONGEST_TERM]


def _word_terms(raw: str, shouting: bool) -> tuple[str, ...]:
    """Return the terms of one word as written, the likeliest first; () for a function word."""
    if raw[-2:] in _POSSESSIVES:
        raw = raw[:-2]
    elif raw[-1:] == "s" and (plural := _ACRONYM_PLURAL.fullmatch(raw)):
        raw = plural[1]
    folded = _plain(raw)
    if not raw[1:2].isupper():  # as in most words: no acronym
        return () if folded in STOP_WORDS else (_normal(folded),)
    acronym = raw.isupper() and _ACRONYM.fullmatch(raw) is not None
    if folded in STOP_WORDS:
        return (raw,) if acronym and not shouting and folded not in _NEVER_ACRONYMS else ()
    normal = _normal(folded)
    if folded in _NO_PLURAL and acronym:
        return (folded, normal) if shouting else (folded,)
    if not acronym or shouting or normal == folded:
        return (normal,)
    # The stem goes first: whoever writes `sars` has only that.
    return (normal, folded)


def shouts(text: str) -> bool:
    """Whether a prepared text is all capitals, so that capitals say nothing: it has a long word, or many
    words.
    """
    return text.isupper() and (len(text.split()) > 4 or re.search(r"[A-Z]{7}", text) is not None)


def _plain(raw: str) -> str:
    folded = fold(raw)
    return _SAME.get(folded, folded)


@lru_cache(maxsize=200_000)
def _read_word(raw: str, shouting: bool) -> tuple[str, tuple[str, ...]]:
    return _plain(raw), _word_terms(raw, shouting)


def _atoms(text: str, shouting: bool) -> list[_Atom]:
    found: list[_Atom] = []
    end = -1
    names_a = False
    plain_text = text.isascii() or max(text) < _FIRST_IDEOGRAPH
    for match in (_ATOM if plain_text else _atom_or_ideograph()).finditer(text):
        kind = match.lastgroup or ""
        raw = match[0]
        start, stop = match.span()
        joint = _JOINTS.get(text[end:start], "|") if found else "/"
        if kind == "word":
            # Cut first: on a word of thousands of letters a stemmer takes hours.
            plain, terms = _read_word(raw[: 2 * _LONGEST_TERM], shouting)
            numeral = _ROMAN.get(raw.upper()) if len(raw) <= _LONGEST_NUMERAL else None
            if numeral and _is_numeral(found, joint):
                kind, plain, terms = "number", numeral, (numeral,)
        elif kind == "number":
            plain = _digits(raw)
            terms = (plain,)
        else:
            plain = _GREEK[raw.lower()] if kind == "greek" else raw
            terms = (plain,)
        found.append(_Atom(kind, raw, start, stop, joint, terms, plain))
        end = stop
        names_a = names_a or plain == "a"
    for before, atom in pairwise(found) if names_a else ():
        # The letter of a name is no article: alfa-2a, HLA-A, hepatitis A, Aβ.
        close = atom.joint in {"", "-"}
        if atom.plain == "a" and (close or (atom.joint == " " and before.plain in _NUMBERED)):
            atom.terms = ("a",)
        if before.plain == "a" and close:
            before.terms = ("a",)
    return found


@lru_cache(maxsize=1 << 12)
def _read(text: str) -> tuple[str, list[_Atom]]:
    """Return a name prepared, and its atoms, shared: do not change them.

    A query asks for the units of a name, its terms and its key one after the other.
    """
    prepared = prepare(text)
    return prepared, _atoms(prepared, shouts(prepared))


def _digits(number: str) -> str:
    """Return the term of a number as written."""
    digits = number.replace(",", "")[:_LONGEST_TERM]
    return digits if digits.isascii() else fold(digits)


def _is_numeral(before: list[_Atom], joint: str) -> bool:
    """Whether a word that may be a numeral is one, after these atoms: `type II`, `phase I/II`."""
    if not before:
        return False
    if joint == "/":
        number = before[-1]
        return (
            len(before) > 1
            and number.kind == "number"
            and number.joint != "|"
            and before[-2].plain in _NUMBERED
        )
    return joint in {" ", "-"} and before[-1].plain in _NUMBERED


def _takes_number(word: _Atom) -> bool:
    """Whether a number after a space belongs to the word: `IL 2`, `type 2`, but not `aspirin 81`."""
    return word.kind in {"word", "greek"} and (
        word.plain in _NUMBERED
        or (
            len(word.plain) <= _LONGEST_BOUND
            and bool(word.terms)
            and word.plain.isalpha()
            and word.plain not in _COUNTING
        )
    )


def _letter_and_number(atoms: list[_Atom], first: int) -> bool:
    """Whether a name of two letters goes on with one letter and a number after a space: `PD L1`."""
    if first + 2 >= len(atoms):
        return False
    name, letter, number = atoms[first : first + 3]
    return (
        (letter.joint, number.joint, number.kind) == (" ", "", "number")
        and len(name.plain) == 2
        and len(letter.plain) == 1
        and letter.kind == "word"
        and _takes_number(name)
    )


def _compounds(atoms: list[_Atom]) -> list[tuple[int, int, str]]:
    """Return (first, last, term) for the atoms that are written as one: maximal runs, and names with
    their numbers.
    """
    found: list[tuple[int, int, str]] = []
    size = len(atoms)
    first = 0
    while first < size:
        last = first
        while last + 1 < size and atoms[last + 1].joint in _GLUED:
            last += 1
        # `IL 2`: the number joins over the space, and takes along what is glued to it (`alfa 2a`).
        spaced = last + 1 < size and (
            atoms[last + 1].joint == " "
            and atoms[last + 1].kind == "number"
            and atoms[last + 1].plain.isdigit()
            and len(atoms[last + 1].plain) <= 3
            and _takes_number(atoms[last])
        )
        if spaced or (first == last and _letter_and_number(atoms, first)):
            last += 1
            while last + 1 < size and atoms[last + 1].joint == "":
                last += 1
        if last > first:
            found += _run_compounds(atoms, first, last)
        # `phase 1/2`, `grade 3/4`: each number belongs to the word.
        if last == first + 1 and atoms[last].kind == "number" and atoms[first].plain in _NUMBERED:
            while last + 1 < size and atoms[last + 1].joint == "/" and atoms[last + 1].kind == "number":
                last += 1
                found.append((first, last, atoms[first].plain + atoms[last].plain))
        first = last + 1
    return found


def _run_compounds(atoms: list[_Atom], first: int, last: int) -> list[tuple[int, int, str]]:
    whole = _joined(atoms[first : last + 1])
    found = [(first, last, whole)] if whole else []
    # Inside a longer run a name and its number are a name still: the IL-2 of `IL-2-producing`.
    place = first
    while place < last:
        name, number = atoms[place], atoms[place + 1]
        if name.kind != "number" and number.kind == "number":
            stop = place + 1
            while stop < last and atoms[stop + 1].joint == "" and len(atoms[stop + 1].plain) <= 2:
                stop += 1
            if (place, stop) != (first, last) and (inner := _joined(atoms[place : stop + 1])):
                found.append((place, stop, inner))
            place = stop
        place += 1
    return found


def _joined(run: list[_Atom]) -> str:
    """Return the compound term of a run of atoms, or "" where the run is no name (`18-65`, `12-week`)."""
    if len(run) > _MOST_JOINED:
        return ""
    plain = "".join([atom.plain for atom in run[:-1]]) + singular(run[-1].plain)
    if len(plain) > _LONGEST_COMPOUND:
        return ""
    if run[0].kind == "number":
        if len(run) == 2 and len(run[1].plain) > 3:
            return ""
        if all(atom.kind == "number" for atom in run):
            return ""
    return _normal(plain)


def tokens(text: str) -> list[Token]:
    """Return the tokens of one value, by position; several may share one. Offsets refer to
    `prepare(text)`.
    """
    prepared = prepare(text)
    atoms = _atoms(prepared, shouts(prepared))
    found = [
        Token(term, position, atom.start, atom.end)
        for position, atom in enumerate(atoms)
        for term in atom.terms
    ]
    for first, last, term in _compounds(atoms):
        found.append(Token(term, first, atoms[first].start, atoms[last].end))
    found.sort(key=lambda token: token.position)
    return found


def plain_term(text: str) -> str | None:
    """Return the only term of a piece that is a word like most: no acronym, and no number belongs to it. ""
    for a function word; None for other pieces.

    >>> plain_term("Tumours"), plain_term("would"), plain_term("IL"), plain_term("type"), plain_term("10-day")
    ('tumor', '', None, None, None)
    """
    if not (text.isascii() and text.isalpha()):
        return None
    plain = text[: 2 * _LONGEST_TERM].lower()
    if len(plain) <= _LONGEST_BOUND or text[1].isupper() or plain in _NUMBERED:
        return None
    return "" if plain in STOP_WORDS else _normal(plain)


def piece(text: str, shouting: bool) -> Piece:
    """Return the tokens of a piece of a prepared text (`shouting`: whether that whole text `shouts`).

    >>> piece("follow-up,", False)[:3]
    (2, ('follow', 'followup', 'up'), (0, 0, 1))
    >>> piece("IL", False).tail & piece("2-producing", False).head > 0
    True
    >>> piece("(IL)", False).tail, piece("week", False).tail, piece("aspirin", False).tail
    (0, 0, 0)
    """
    if (term := plain_term(text)) is not None:
        return Piece(1, (term,), (0,), 0, 0) if term else NO_TERM
    if text.isascii() and text.isalpha():
        plain, terms = _read_word(text[: 2 * _LONGEST_TERM], shouting)
        only = _Atom("word", text, 0, len(text), "/", terms, plain)
        return Piece(1, terms, (0,) * len(terms), _head([only]), _tail(only))
    if _NUMBERS.fullmatch(text):
        # Numbers make no compound with each other: `42`, `18-65`.
        numbers = tuple(map(_digits, text.split("-")))
        return Piece(len(numbers), numbers, tuple(range(len(numbers))), _number_head(numbers[0]), 0)
    atoms = _atoms(text, shouting)
    if not atoms:
        return Piece(0, (), (), 0, 0)
    found = [(place, term) for place, atom in enumerate(atoms) for term in atom.terms]
    if len(atoms) > 1:
        found += [(first, term) for first, _, term in _compounds(atoms)]
        found.sort(key=itemgetter(0))
    return Piece(
        len(atoms),
        tuple([term for _, term in found]),
        tuple([place for place, _ in found]),
        _head(atoms) if atoms[0].start == 0 else 0,
        _tail(atoms[-1]) if atoms[-1].end == len(text) else 0,
    )


def _head(atoms: list[_Atom]) -> int:
    """Return what the first of these atoms may be to a word before it and a space."""
    first = atoms[0]
    if first.kind == "number":
        return _number_head(first.plain)
    lettered = len(first.plain) == 1 and len(atoms) > 1 and (atoms[1].joint, atoms[1].kind) == ("", "number")
    return (_BY_WORD if first.plain == "a" or first.raw.upper() in _ROMAN else 0) | (
        _BY_LETTER if lettered else 0
    )


def _number_head(plain: str) -> int:
    return _BY_WORD | (_BY_NAME if plain.isdigit() and len(plain) <= 3 else 0)


def _tail(last: _Atom) -> int:
    """Return what an atom may be to what comes after it and a space."""
    if not _takes_number(last):
        return LONE_A if last.plain == "a" and not last.terms else 0
    return (
        _BY_NAME | (_BY_WORD if last.plain in _NUMBERED else 0) | (_BY_LETTER if len(last.plain) == 2 else 0)
    )


def terms(text: str) -> list[str]:
    """Return the terms of one value, in order of position."""
    return [token.term for token in tokens(text)]


def value_tokens(values: Iterable[str]) -> Iterator[tuple[int, Token]]:
    """Yield (number of the value, token) over the values of a field, positions counted on with a gap
    between values.
    """
    base = 0
    for number, value in enumerate(values):
        last = -1
        for token in tokens(value):
            last = token.position
            yield number, Token(token.term, token.position + base, token.start, token.end)
        base += last + 1 + VALUE_GAP


def units(text: str) -> list[Unit]:
    """Return what a run of words asks for, one unit a word or compound, function words left out.

    >>> [unit.alternatives for unit in units("IL-2 in lupus")]
    [(('il2',),), (('lupus',),)]
    >>> [unit.alternatives for unit in units("follow-up")]
    [(('followup',), ('follow', 'up'))]
    >>> [unit.alternatives for unit in units("hearing aids")]
    [(('hear',),), (('aid',), ('aids',))]
    """
    lone = lone_words(text)
    if lone is not None:
        return [unit for unit in lone if unit.alternatives]
    prepared, atoms = _read(text)
    starts = {first: (last, term) for first, last, term in reversed(_compounds(atoms))}
    found: list[Unit] = []
    place = 0
    while place < len(atoms):
        last, term = starts.get(place, (place, ""))
        run = atoms[place : last + 1]
        if term:
            kinds = [atom.kind == "number" for atom in run]
            apart = _side_by_side(run)
            # A name and its number make this compound however they are written; others may be written apart.
            sure = len(run) == 2 and not kinds[0] and kinds[1]
            ways: list[tuple[str, ...]] = [(term,)] if sure or len(apart) < 2 else [(term,), apart]
        else:
            last = place
            run = [atoms[place]]
            ways = _ways(atoms[place].plain, atoms[place].terms)
        if ways:
            found.append(Unit(prepared[run[0].start : run[-1].end], tuple(dict.fromkeys(ways))))
        place = last + 1
    return found


def _ways(plain: str, terms: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Return the ways in which the index may hold one word; none for a function word."""
    ways: list[tuple[str, ...]] = [(way,) for way in terms]
    if plain in _NO_PLURAL and ways and ways[0] != (plain,):
        ways.append((plain,))
    return ways


def lone_words(text: str) -> list[Unit] | None:
    """Return the words of a text, each read alone, as units; a function word has no alternatives. None where
    a word may be read with another: beside numbers, hyphens and letters that may be numerals.

    >>> [unit.alternatives for unit in lone_words("quality of life")]
    [(('qualiti',),), (), (('life',),)]
    >>> lone_words("type II"), lone_words("follow-up"), lone_words("")
    (None, None, None)
    """
    if text.isupper() and shouts(text):
        return None
    found = []
    for chunk in text.split(" "):
        unit = _lone_word(chunk)
        if unit is None:
            return None
        found.append(unit)
    return found


@lru_cache(maxsize=1 << 13)
def _lone_word(chunk: str) -> Unit | None:
    """Return what stands between two spaces as a unit; None where it is not one word that is read alone."""
    match = _LONE.fullmatch(chunk)
    if match is None:
        return None
    raw = match[1]
    if raw in "Aa" or (len(raw) <= _LONGEST_BOUND and raw.upper() in _ROMAN):
        return None
    cut = raw[: 2 * _LONGEST_TERM]
    if raw[1:2].isupper() or "'" in raw:
        plain, terms = _read_word(cut, False)
    else:  # most words: no acronym, no possessive
        plain = cut.lower()
        plain = _SAME.get(plain, plain)
        terms = () if plain in STOP_WORDS else (_normal(plain),)
    if len(terms) == 1 and plain not in _NO_PLURAL:
        return Unit(raw, (terms,))
    return Unit(raw, tuple(dict.fromkeys(_ways(plain, terms))))


def sequence(text: str) -> tuple[str, ...]:
    """Return the terms of a phrase, one an atom, in order; "" holds the place of a function word.

    >>> sequence("quality of life"), sequence("IL-2 therapy")
    (('qualiti', '', 'life'), ('il', '2', 'therapi'))
    """
    lone = lone_words(text)
    if lone is not None:
        return _without_ends([unit.alternatives[0][0] if unit.alternatives else "" for unit in lone])
    return _side_by_side(_read(text)[1])


def _side_by_side(atoms: list[_Atom]) -> tuple[str, ...]:
    return _without_ends([atom.terms[0] if atom.terms else "" for atom in atoms])


def _without_ends(terms: list[str]) -> tuple[str, ...]:
    """Return the terms from the first to the last that is not ""."""
    while terms and not terms[-1]:
        terms.pop()
    while terms and not terms[0]:
        terms.pop(0)
    return tuple(terms)


@lru_cache(maxsize=1 << 12)
def normal_words(text: str) -> tuple[str, ...]:
    """Return the key under which a name is known: one word for each of its units.

    Two names with one key are one name to every part of the system.

    >>> normal_words("Lupus Nephritis") == normal_words("lupus nephritis")
    True
    >>> normal_words("IL-2"), normal_words("interleukin 2")
    (('il2',), ('interleukin2',))
    """
    return tuple(unit.key for unit in units(text))

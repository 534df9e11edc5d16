r"""Names of drugs: RxNorm's RXNCONSO.RRF, the DrugBank open vocabulary, and the Products.txt of Drugs@FDA.

>>> import io
>>> text = '''ApplNo\tDrugName\tActiveIngredient
... 1\tGLUCOPHAGE\tMETFORMIN HYDROCHLORIDE
... 2\tJANUMET\tMETFORMIN HYDROCHLORIDE; SITAGLIPTIN PHOSPHATE
... '''
>>> file = SourceFile("Products.txt", lambda: io.BytesIO(text.encode()))
>>> for concept in read_products(file, Counter()):
...     print(concept.id, [name.text for name in concept.names], concept.parents)
FDA:metformin ['metformin', 'metformin hydrochloride', 'Glucophage'] ()
FDA:sitagliptin ['sitagliptin', 'sitagliptin phosphate'] ()
FDA:metformin/sitagliptin ['metformin / sitagliptin', 'Janumet'] ('FDA:metformin', 'FDA:sitagliptin')
"""

from __future__ import annotations

import csv
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from trialindex.errors import SourceError
from trialindex.formats.files import SourceFile
from trialindex.vocabulary.concepts import Concept
from trialindex.vocabulary.import_rows import Names, lines

__all__ = [
    "read_drugbank", "read_products", "read_rxnorm", "recognises_drugbank", "recognises_products",
    "recognises_rxnorm",
]  # fmt: skip

_KIND = "intervention"

# RxNorm

# Columns of RXNCONSO.RRF (RxNorm Technical Documentation, section 12.4); each row ends with a bar.
_COLUMNS = 18
_RXCUI, _LANGUAGE, _SOURCE, _TYPE, _TEXT, _SUPPRESSED = 0, 1, 11, 12, 14, 16
_OWN = "RXNORM"
# The types of RxNorm's own terms that make a concept: ingredient, precise ingredient, several of them, brand.
_INGREDIENT, _PRECISE, _SEVERAL, _BRAND = "IN", "PIN", "MIN", "BN"
_ROLES = (_INGREDIENT, _PRECISE, _SEVERAL, _BRAND)
# The types of terms, of any source, that are names; others are doses, packs, codes and structures.
_NAME_TYPES = frozenset((*_ROLES, "SY", "TMSY", "SU", "PT", "ET", "MH", "NM", "PEP", "EN"))
# A branded component, `metformin 500 MG / sitagliptin 50 MG [Janumet]`: the only term that tells what is in a
# brand.
_COMPONENT = "SBDC"
_BRANDED = re.compile(r"(.+) \[([^\[\]]+)\]")
_INGREDIENTS = " / "
_STRENGTH = re.compile(r" [\d.,]+ .*")


def recognises_rxnorm(head: str) -> bool:
    """Whether a file that starts so is RxNorm's table of concepts and names."""
    cells = head.partition("\n")[0].rstrip("\r").split("|")
    return (
        len(cells) == _COLUMNS + 1
        and cells[_RXCUI].isdigit()
        and len(cells[_LANGUAGE]) == 3
        and cells[_TYPE].isupper()
    )


class _Drug(NamedTuple):
    """One RXCUI: its role, its names (RxNorm's own first), and the RXCUIs above it."""

    role: str
    names: list[str]
    parents: list[str]


def read_rxnorm(file: SourceFile, odd: Counter[str]) -> Iterator[Concept]:
    """Yield the ingredients, their combinations, and the brands that are no mere names of one ingredient.

    The file does not say how its concepts relate. Names do, in part: a precise ingredient begins with the
    name of its ingredient, a combination lists its parts, and a branded component has its ingredients and its
    brand. A brand of one ingredient is a name of that; another stands below the ingredients that all its
    components share. The file is read twice, so that only what is needed of it is kept. Raises SourceError
    where it cannot be read to its end.
    """
    drugs: dict[str, _Drug] = {}
    contents: dict[str, list[frozenset[str]]] = defaultdict(list)
    for cells in _rxnorm_rows(file, odd):
        if cells[_SOURCE] != _OWN:
            continue
        if cells[_TYPE] in _ROLES:
            drugs.setdefault(cells[_RXCUI], _Drug(cells[_TYPE], [cells[_TEXT]], []))
        elif cells[_TYPE] == _COMPONENT and (found := _BRANDED.fullmatch(cells[_TEXT])):
            parts = (_STRENGTH.sub("", part).lower() for part in found[1].split(_INGREDIENTS))
            contents[found[2].lower()].append(frozenset(parts))
    for cells in _rxnorm_rows(file, Counter()):
        drug = drugs.get(cells[_RXCUI])
        if drug is not None and cells[_TYPE] in _NAME_TYPES:
            drug.names.append(cells[_TEXT])
    _relate(drugs, contents)
    names = Names("rxnorm", odd)
    for number, drug in drugs.items():
        parents = (f"RXNORM:{parent}" for parent in drug.parents)
        concept = names.concept(f"RXNORM:{number}", _KIND, drug.names, (), parents)
        if concept is not None:
            yield concept


def _rxnorm_rows(file: SourceFile, odd: Counter[str]) -> Iterator[list[str]]:
    """Yield the cells of rows in English that are in use."""
    for _, line in lines(file):
        cells = line.split("|")
        if len(cells) != _COLUMNS + 1 or not cells[_RXCUI]:
            odd["a row of other columns"] += bool(line)
        elif cells[_LANGUAGE] == "ENG" and cells[_SUPPRESSED] == "N":
            yield cells


def _relate(drugs: dict[str, _Drug], contents: dict[str, list[frozenset[str]]]) -> None:
    """Set the parents, and make brands of one ingredient names of it."""
    by_name = {
        drug.names[0].lower(): number
        for number, drug in drugs.items()
        if drug.role in (_INGREDIENT, _PRECISE)
    }
    ingredients = {name for name, number in by_name.items() if drugs[number].role == _INGREDIENT}
    for drug in drugs.values():
        name = drug.names[0].lower()
        if drug.role == _PRECISE:
            above = next((begin for begin in _beginnings(name) if begin in ingredients), None)
            drug.parents.extend([by_name[above]] if above else ())
        elif drug.role == _SEVERAL:
            drug.parents.extend(by_name[part] for part in name.split(_INGREDIENTS) if part in by_name)
    for number, drug in list(drugs.items()):
        held = contents.get(drug.names[0].lower()) if drug.role == _BRAND else None
        if not held:
            continue
        shared = [by_name[part] for part in sorted(frozenset.intersection(*held)) if part in by_name]
        shared = [_moiety(drugs, one) for one in shared]
        if len(shared) == 1 and all(len(parts) == 1 for parts in held):
            drugs[shared[0]].names.extend(drug.names)
            del drugs[number]
        else:
            drug.parents.extend(shared)


def _beginnings(name: str) -> Iterator[str]:
    """Yield a name without its last word, without the last two, and so on."""
    while " " in name:
        name = name.rpartition(" ")[0]
        yield name


def _moiety(drugs: dict[str, _Drug], number: str) -> str:
    """Return the ingredient of a precise ingredient, anything else as it is."""
    drug = drugs[number]
    return drug.parents[0] if drug.role == _PRECISE and drug.parents else number


# DrugBank

_DRUGBANK = ("DrugBank ID", "Common name", "Synonyms")
_SYNONYMS = " | "


def recognises_drugbank(head: str) -> bool:
    """Whether a file that starts so is DrugBank's open vocabulary."""
    cells = head.partition("\n")[0].rstrip("\r").split(",")
    return all(column in cells for column in _DRUGBANK)


def read_drugbank(file: SourceFile, odd: Counter[str]) -> Iterator[Concept]:
    """Yield the drugs of the table. Raises SourceError where it cannot be read to its end."""
    number = 0

    def numbered() -> Iterator[str]:
        nonlocal number
        for number, line in lines(file):  # noqa: B007 (for the message)
            yield line

    rows = csv.reader(numbered())
    try:
        columns = [column.strip() for column in next(rows, [])]
        places = [columns.index(column) for column in _DRUGBANK]
        names = Names("drugbank", odd)
        for cells in rows:
            if len(cells) != len(columns) or not cells[places[0]].strip():
                odd["a row of other columns"] += bool(cells)
                continue
            identifier, name, synonyms = (cells[place] for place in places)
            concept = names.concept(identifier.strip(), _KIND, [name, *synonyms.split(_SYNONYMS)])
            if concept is not None:
                yield concept
    except csv.Error as error:
        raise SourceError(f"{file.label}, line {number}: no CSV ({error}): fetch the file again") from None


# Drugs@FDA

_PRODUCTS = ("DrugName", "ActiveIngredient")
_CAPITALS = re.compile(r"[A-Z]{4,}")
# Words that say in which salt or with how much water an ingredient comes, at the end of its name.
_SALTS = frozenset(
    """acetate anhydrous besylate bitartrate bromide calcium chloride citrate dihydrate dihydrochloride
    disodium esylate fumarate gluconate hemifumarate hemihydrate hydrobromide hydrochloride lactate
    magnesium maleate malate meglumine mesylate monohydrate monosodium nitrate pamoate phosphate potassium
    sodium succinate sulfate tartrate tosylate trihydrate tromethamine zinc""".split()
)
# What is left of an inorganic salt is no drug.
_NO_MOIETIES = _SALTS | frozenset(
    """aluminum ammonium barium bismuth cesium cupric ferric ferrous gallium gold indium iron lithium
    manganese mercury oxygen rubidium selenium silver stannous strontium thallous choline hydrogen""".split()
)
_AND = " / "


def recognises_products(head: str) -> bool:
    """Whether a file that starts so is the table of products."""
    cells = head.partition("\n")[0].rstrip("\r").split("\t")
    return all(column in cells for column in _PRODUCTS)


def read_products(file: SourceFile, odd: Counter[str]) -> Iterator[Concept]:
    """Yield the active ingredients with their salts and brands, and the combinations with theirs.

    A product of several ingredients is a concept below each of them. Brands and ingredients are written in
    capitals in the file; words of four letters or more get small ones. Raises SourceError where it cannot be
    read to its end.
    """
    found: dict[tuple[str, ...], dict[str, None]] = {}  # moieties -> names
    rows = lines(file)
    columns = next(rows, (0, ""))[1].split("\t")
    brand_at, ingredient_at = (columns.index(column) for column in _PRODUCTS)
    for _, line in rows:
        cells = line.split("\t")
        if len(cells) <= max(brand_at, ingredient_at):
            odd["a row of other columns"] += bool(line)
            continue
        parts = [" ".join(_small(part).split()) for part in cells[ingredient_at].split(";")]
        held = [part for part in dict.fromkeys(parts) if part]
        if not held:
            odd["no ingredient"] += 1
            continue
        moieties = tuple(dict.fromkeys(map(_base, held)))
        for part, moiety in zip(held, map(_base, held), strict=True):
            found.setdefault((moiety,), {moiety: None})[part] = None
        found.setdefault(tuple(sorted(moieties)), {})[_capitalised(cells[brand_at])] = None
    alone = {name.casefold() for moieties, names in found.items() if len(moieties) == 1 for name in names}
    names = Names("drugs-at-fda", odd)
    for moieties in sorted(found, key=len):
        concept = names.concept(
            _fda_id(moieties),
            _KIND,
            _product_names(moieties, found[moieties], alone),
            (),
            _fda_above(moieties),
        )
        if concept is not None:
            yield concept


def _product_names(moieties: tuple[str, ...], names: Iterable[str], alone: set[str]) -> list[str]:
    if len(moieties) == 1:
        return list(names)
    # A product may be named after one of its ingredients only.
    return [_AND.join(moieties), *(name for name in names if name.casefold() not in alone)]


def _fda_id(moieties: tuple[str, ...]) -> str:
    return "FDA:" + "/".join(moiety.replace(" ", "-") for moiety in moieties)


def _fda_above(moieties: tuple[str, ...]) -> list[str]:
    return [_fda_id((moiety,)) for moiety in moieties] if len(moieties) > 1 else []


def _small(name: str) -> str:
    return _CAPITALS.sub(lambda match: match[0].lower(), name)


def _capitalised(name: str) -> str:
    return _CAPITALS.sub(lambda match: match[0].capitalize(), name)


def _base(ingredient: str) -> str:
    """Return an ingredient without its salt.

    >>> _base("metformin hydrochloride"), _base("dexamethasone sodium phosphate"), _base("sodium chloride")
    ('metformin', 'dexamethasone', 'sodium chloride')
    """
    words = ingredient.split(" ")
    kept = len(words)
    while kept > 1 and words[kept - 1] in _SALTS:
        kept -= 1
    return " ".join(words[:kept]) if words[kept - 1] not in _NO_MOIETIES else ingredient

"""How a score came about: explanations that mirror the formulas and add up."""

from __future__ import annotations

import numpy as np

from trialindex.fields import area_weights
from trialsearch.evaluate import Evaluator
from trialsearch.query import (
    And,
    Best,
    Boost,
    Fuzzy,
    Group,
    In,
    Near,
    Optional,
    Or,
    Prefix,
    Query,
    Term,
    Tiers,
    Tilted,
    Unless,
    Verified,
    Wildcard,
    Within,
)
from trialsearch.ranking import GAIN, K1, B, Explanation, idf, norm

__all__ = ["explain"]


def explain(evaluator: Evaluator, query: Query, doc: int, area: str = "BasicSearch") -> Explanation | None:
    """Return how the score of a document came about; None where the query does not find it."""
    if not evaluator.finds(query, doc, area):
        return None
    score = evaluator.score_of(query, doc, area)
    match query:
        case In(inner, part):
            return explain(evaluator, part, doc, inner)
        case Term() | Near() | Within() | Group():
            return _list(evaluator, query, doc, area, score)
        case Prefix() | Wildcard() | Fuzzy():
            return _several(evaluator, query, doc, area, score)
        case And(parts) | Or(parts):
            kind = "all of" if isinstance(query, And) else "any of"
            return Explanation(f"{kind}, sum", score, _explained(evaluator, parts, doc, area))
        case Best(text, ways):
            worth = {
                way: evaluator.score_of(way.part, doc, area) * evaluator.worth(way, area) for way in ways
            }
            held = [way for way in ways if evaluator.finds(way.part, doc, area)]
            best = max(held, key=lambda way: worth[way])
            how = "as typed" if best.how == "typed" else f"by {best.how} {best.text!r}"
            below = _explained(evaluator, (best.part,), doc, area)
            return Explanation(f"{text}: {how}, x {evaluator.worth(best, area):.4g}", score, below)
        case Unless(part, _):
            return explain(evaluator, part, doc, area)
        case Verified(text, _, part):
            below = _explained(evaluator, (part,), doc, area)
            return Explanation(f"has exactly the text {text!r}, sum", score, below)
        case Tilted(field, part):
            factor = float(evaluator.tilt(field).factors(np.array([doc], np.uint32))[0])
            below = _explained(evaluator, (part,), doc, area)
            return Explanation(f"tilted by {field}: score x {factor:.4g}", score, below)
        case Tiers(text, parts):
            return _tier(evaluator, text, parts, doc, area, score)
        case Boost(part, weight):
            return Explanation(
                f"boosted: score x {weight:g}", score, _explained(evaluator, (part,), doc, area)
            )
        case Optional(part, wish):
            return Explanation(
                "with what is wished, sum", score, _explained(evaluator, (part, wish), doc, area)
            )
        case _:
            return Explanation(f"{query} selects, and adds nothing to the score", score)


def _explained(
    evaluator: Evaluator, parts: tuple[Query, ...], doc: int, area: str
) -> tuple[Explanation, ...]:
    found = (explain(evaluator, part, doc, area) for part in parts)
    return tuple(part for part in found if part is not None)


def _tier(
    evaluator: Evaluator, text: str, parts: tuple[Query, ...], doc: int, area: str, score: float
) -> Explanation:
    number, part = next(
        (number, part) for number, part in enumerate(parts, 1) if evaluator.finds(part, doc, area)
    )
    own = evaluator.score_of(part, doc, area)
    factor = score / own if own else 1.0
    return Explanation(
        f"{text}: tier {number} of {len(parts)}, below all of the one before: score x {factor:.4g}",
        score,
        _explained(evaluator, (part,), doc, area),
    )


def _several(
    evaluator: Evaluator, query: Prefix | Wildcard | Fuzzy, doc: int, area: str, score: float
) -> Explanation:
    worth = {
        term: evaluator.score_of(Term(term), doc, area) * share
        for term, share in evaluator.terms_of(query, area)
    }
    best = max(worth, key=lambda term: worth[term])
    share = dict(evaluator.terms_of(query, area))[best]
    below = _explained(evaluator, (Term(best),), doc, area)
    return Explanation(f"{query}: the best of its words, x {share:g}", score, below)


def _list(evaluator: Evaluator, query: Query, doc: int, area: str, score: float) -> Explanation:
    """Explain a term, or what is scored as one, by the formula of `trialsearch.ranking`."""
    kind = {Term: "term", Near: "phrase", Within: "window", Group: "group"}[type(query)]
    weights = area_weights(area)
    held = evaluator.frequencies(query, doc, area)
    fields = tuple(
        Explanation(f"{field}: {weights[field] / 100:g} x {count}", weights[field] * count / 100)
        for field, count in sorted(held.items(), key=lambda entry: -weights[entry[0]])
    )
    tf = sum(part.score for part in fields)
    lengths = evaluator.snapshot.lengths(area)
    length, mean = int(lengths[doc]) / 100, float(np.mean(lengths)) / 100
    below = norm(length, mean)
    return Explanation(
        f"{kind} {query} in {area}: idf x {GAIN:g} x tf / (tf + norm)",
        score,
        (
            _rarity(evaluator, query, area),
            Explanation("tf, the sum of weight x frequency over the fields", tf, fields),
            Explanation(f"norm: {K1:g} x ({1 - B:g} + {B:g} x {length:g} / mean {mean:.4g})", below),
        ),
    )


def _rarity(evaluator: Evaluator, query: Query, area: str) -> Explanation:
    size = evaluator.size
    if isinstance(query, Near | Within):
        frequencies = [(term, evaluator.snapshot.frequency(term, area)) for term in query.terms if term]
        parts = tuple(
            Explanation(f"{term}: in {frequency} of {size}", idf(size, frequency))
            for term, frequency in frequencies
        )
        return Explanation("idf, the sum over its terms", sum(part.score for part in parts), parts)
    leaf = evaluator.leaf(query, area)
    frequency = 0 if leaf is None else len(leaf.docs)
    return Explanation(f"idf: in {frequency} of {size}", idf(size, frequency))

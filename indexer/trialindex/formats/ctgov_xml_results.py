"""The results section of ClinicalTrials.gov's legacy XML: what its table (`ctgov_xml.tsv`) cannot say alone.

The XML spells agreements as sentences and writes the totals of adverse events as events of their own.

>>> employee("All Principal Investigators ARE employed by the organization sponsoring the study.")
{'AgreementPISponsorEmployee': 'Yes'}
>>> agreement("Ask us before you publish.")["AgreementOtherDetails"]
'Ask us before you publish.'
>>> stats = [{"groupId": "E1", "numAffected": 0, "numAtRisk": 5}]
>>> total = {"term": "Total, all-cause mortality", "organSystem": "Total", "stats": stats}
>>> events = {"eventGroups": [{"id": "E1"}], "seriousEvents": [total]}
>>> settle_totals(events), events
([], {'eventGroups': [{'id': 'E1', 'deathsNumAffected': 0, 'deathsNumAtRisk': 5}]})

A total of a group that is not listed stays an event:

>>> events = {"eventGroups": [{"id": "E2"}], "seriousEvents": [total]}
>>> settle_totals(events), len(events["seriousEvents"])
([], 1)
"""

from __future__ import annotations

from typing import Any

__all__ = ["agreement", "employee", "outcome", "settle_totals"]

Node = dict[str, Any]


def employee(text: str) -> dict[str, str]:
    """Read whether the investigators are employed by the sponsor."""
    said = {"ARE employed": "Yes", "are NOT employed": "No"}
    return {"AgreementPISponsorEmployee": next((word for part, word in said.items() if part in text), text)}


def agreement(text: str) -> dict[str, str]:
    """Read the registry's three standard sentences; any other text is the sponsor's own words."""
    if text.startswith("There is NOT an agreement"):
        return {"AgreementRestrictiveAgreement": "No"}
    kind = "OTHER"
    if text.startswith("The only disclosure restriction on the PI is"):
        if "for a period that is less than or equal to 60 days" in text:
            kind = "LTE60"
        elif "for a period that is more than 60 days" in text:
            kind = "GT60"
    details = {"AgreementOtherDetails": text} if kind == "OTHER" else {}
    return {"AgreementRestrictiveAgreement": "Yes", "AgreementRestrictionType": kind} | details


def outcome(item: Node) -> None:
    """An outcome whose results are posted has groups and numbers; the XML does not say it otherwise."""
    posted = not item.keys().isdisjoint({"groups", "denoms", "classes"})
    item["reportingStatus"] = "POSTED" if posted else "NOT_POSTED"


_TOTALS = {
    ("seriousEvents", "Total, all-cause mortality"): "deaths",
    ("seriousEvents", "Total, serious adverse events"): "serious",
    ("otherEvents", "Total, other adverse events"): "other",
}


def settle_totals(module: Node) -> list[tuple[str, str, str]]:
    """Move the totals among the events of the adverse events module to the groups that they are of.

    Returns what then fits nowhere: path, text, reason.
    """
    left: list[tuple[str, str, str]] = []
    groups = {group.get("id"): group for group in module.get("eventGroups", ())}
    for key in ("seriousEvents", "otherEvents"):
        rest = []
        total: Node = {}
        for event in module.get(key, ()):
            if not _is_total(event, key, groups):
                rest.append(event)
                continue
            total = event
            left += _settle(event, _TOTALS[key, event["term"]], groups)
            if "notes" in event:
                module["allCauseMortalityComment"] = event["notes"]
        if not total:
            continue
        if rest:
            module[key] = rest
        else:
            del module[key]
        # The section's defaults came to the totals too; where no other event has them, they go with these.
        for default in ("sourceVocabulary", "assessmentType"):
            if default in total and all(event.get(default) != total[default] for event in rest):
                left.append((f"{key}.{default}", total[default], "no event that it is about"))
    return left


def _settle(event: Node, kind: str, groups: dict[Any, Node]) -> list[tuple[str, str, str]]:
    left = []
    for stats in event["stats"]:
        for key, count in stats.items():
            name = f"{kind}N{key[1:]}"
            if key != "groupId" and groups[stats["groupId"]].setdefault(name, count) != count:
                left.append((f"eventGroups.{name}", str(count), "stated twice"))
    return left


def _is_total(event: Node, key: str, groups: dict[Any, Node]) -> bool:
    kind = _TOTALS.get((key, event.get("term", "")))
    if kind is None or event.get("organSystem") != "Total" or ("notes" in event and kind != "deaths"):
        return False
    stats = event.get("stats", ())
    return all("numEvents" not in entry and entry.get("groupId") in groups for entry in stats) and bool(stats)

"""Which values does the registry work out of a study? Counts, years, and the codes of countries.

They can be asked like any other field and stand in no download (`study_fields.StudyField.search_only`). A
count is how many there are in a list beside it in the study; of a list inside a list there is one count for
each that has it: `NumArmGroupInterventionNames` for each arm group. Where a list is missing or empty, its
count has no value, as the list has none: nothing tells whether a study has no collaborators or states none.

>>> module = {"interventions": [{"otherNames": ["A", "B"]}, {}, {"otherNames": ["C"]}]}
>>> counts([module], ("interventions",)), counts(module["interventions"], ("otherNames",))
([3], [2, 1])
>>> counts([{"primaryOutcomes": [{}], "otherOutcomes": [{}, {}]}, "odd"], COUNTED["NumOutcomes"])
[3]
>>> country_code("Korea, Republic of"), country_code("Narnia")
('KR', '')
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

__all__ = ["COUNTED", "YEARS", "countries", "country_code", "counts", "retractions"]

# Count -> what is counted, by its key or keys in the structure in which the count itself would stand.
COUNTED: dict[str, tuple[str, ...]] = {
    "NumNCTAliases": ("nctIdAliases",),
    "NumSecondaryIds": ("secondaryIdInfos",),
    "NumCollaborators": ("collaborators",),
    "NumCollaboratorsPlusLead": ("leadSponsor", "collaborators"),
    "NumConditions": ("conditions",),
    "NumKeywords": ("keywords",),
    "NumPhases": ("phases",),
    "NumDesignWhoMaskeds": ("whoMasked",),
    "NumArmGroupInterventionNames": ("interventionNames",),
    "NumArmGroups": ("armGroups",),
    "NumInterventionArmGroupLabels": ("armGroupLabels",),
    "NumInterventionOtherNames": ("otherNames",),
    "NumInterventions": ("interventions",),
    "NumPrimaryOutcomes": ("primaryOutcomes",),
    "NumSecondaryOutcomes": ("secondaryOutcomes",),
    "NumOtherOutcomes": ("otherOutcomes",),
    "NumOutcomes": ("primaryOutcomes", "secondaryOutcomes", "otherOutcomes"),
    "NumStdAges": ("stdAges",),
    "NumCentralContacts": ("centralContacts",),
    "NumOverallOfficials": ("overallOfficials",),
    "NumLocationContacts": ("contacts",),
    "NumLocations": ("locations",),
    "NumRetractionsForRef": ("retractions",),
    "NumReferences": ("references",),
    "NumSeeAlsoLinks": ("seeAlsoLinks",),
    "NumAvailIPDs": ("availIpds",),
    "NumIPDSharingInfoTypes": ("infoTypes",),
    "NumFlowGroups": ("groups",),
    "NumFlowAchievements": ("achievements",),
    "NumFlowMilestones": ("milestones",),
    "NumFlowReasons": ("reasons",),
    "NumFlowDropWithdraws": ("dropWithdraws",),
    "NumFlowPeriods": ("periods",),
    "NumBaselineGroups": ("groups",),
    "NumBaselineDenoms": ("denoms",),
    "NumBaselineMeasureDenoms": ("denoms",),
    "NumBaselineMeasurements": ("measurements",),
    "NumBaselineCategories": ("categories",),
    "NumBaselineClasses": ("classes",),
    "NumBaselineMeasures": ("measures",),
    "NumOutcomeGroups": ("groups",),
    "NumOutcomeDenoms": ("denoms",),
    "NumOutcomeMeasurements": ("measurements",),
    "NumOutcomeCategories": ("categories",),
    "NumOutcomeClasses": ("classes",),
    "NumOutcomeAnalysisGroupIds": ("groupIds",),
    "NumOutcomeAnalyses": ("analyses",),
    "NumOutcomeMeasures": ("outcomeMeasures",),
    "NumEventGroups": ("eventGroups",),
    "NumSeriousEventStatss": ("stats",),
    "NumSeriousEvents": ("seriousEvents",),
    "NumOtherEventStatss": ("stats",),
    "NumOtherEvents": ("otherEvents",),
    "NumEvents": ("seriousEvents", "otherEvents"),
    "NumUnpostedEvents": ("unpostedEvents",),
    "NumViolationEvents": ("violationEvents",),
    "NumLargeDocs": ("largeDocs",),
    "NumRemovedCountries": ("removedCountries",),
    "NumConditionMeshes": ("meshes",),
    "NumConditionAncestors": ("ancestors",),
    "NumConditionBrowseLeafs": ("browseLeaves",),
    "NumConditionBrowseBranches": ("browseBranches",),
    "NumInterventionMeshes": ("meshes",),
    "NumInterventionAncestors": ("ancestors",),
    "NumInterventionBrowseLeafs": ("browseLeaves",),
    "NumInterventionBrowseBranches": ("browseBranches",),
}

# Year -> the date whose year it is.
YEARS: dict[str, str] = {
    "StudyFirstSubmitYear": "StudyFirstSubmitDate",
    "StudyFirstPostYear": "StudyFirstPostDate",
    "ResultsFirstSubmitYear": "ResultsFirstSubmitDate",
    "ResultsFirstPostYear": "ResultsFirstPostDate",
    "DispFirstSubmitYear": "DispFirstSubmitDate",
    "DispFirstPostYear": "DispFirstPostDate",
    "LastUpdateSubmitYear": "LastUpdateSubmitDate",
    "LastUpdatePostYear": "LastUpdatePostDate",
}


def counts(nodes: Iterable[Any], keys: tuple[str, ...]) -> list[int]:
    """Return how many entries each structure has under some keys together, of those that have any."""
    found = []
    for node in nodes:
        if isinstance(node, dict):
            total = 0
            for key in keys:
                if key in node:
                    total += _size(node[key])
            if total:
                found.append(total)
    return found


def _size(value: Any) -> int:
    """Return how many values stand here, as a path counts them: none where nothing does."""
    if isinstance(value, list):
        return len(value) if all(value) else sum(item is not None and item != "" for item in value)
    return 0 if value is None or value == "" else 1


def countries(names: Iterable[Any]) -> int:
    """Return the number of distinct countries, as the record names them."""
    return len({name for name in names if isinstance(name, str)})


def retractions(references: Iterable[Any]) -> int:
    """Return how many retractions all references have together."""
    return sum(counts(references, COUNTED["NumRetractionsForRef"]))


@lru_cache(maxsize=1 << 10)
def country_code(name: str) -> str:
    """Return the ISO 3166 alpha-2 code of a country by the name that the registry gives it, or gave; "" for
    what is none.
    """
    from trialindex import gazetteer

    return gazetteer.country_code(name)

"""British and American spellings meet, irregular plurals meet their singulars, look-alikes stay."""

from __future__ import annotations

import pytest

from trialindex.analysis import terms
from trialindex.spelling import american, singular

PAIRS = """anaemia anemia|haemorrhage hemorrhage|haemophilia hemophilia|leukaemia leukemia|ischaemic ischemic
hyperglycaemia hyperglycemia|septicaemia septicemia|thalassaemia thalassemia|dyslipidaemia dyslipidemia
haemodialysis hemodialysis|oedema edema|oesophageal esophageal|oestrogen estrogen|oestradiol estradiol
paediatric pediatric|gynaecology gynecology|anaesthesia anesthesia|anaesthetised anesthetized|caecum cecum
coeliac celiac|diarrhoea diarrhea|dysmenorrhoea dysmenorrhea|foetal fetal|faecal fecal|leucocyte leukocyte
leucopenia leukopenia|leucodystrophy leukodystrophy|leucoplakia leukoplakia|sulphate sulfate|sulphur sulfur
tumour tumor|behavioural behavioral|colour color|favourable favorable|labour labor|programme program
aluminium aluminum|caesarean cesarean|aetiology etiology|enrolment enrollment|defence defense|ageing aging
orthopaedic orthopedic|dyspnoea dyspnea|apnoea apnea|naevi nevus|centre center|fibres fibers|litre liter
titre titer
labelled labeled|modelling modeling|counselling counseling|travelled traveled|signalling signaling
randomised randomized|hospitalisation hospitalization|immunisation immunization
desensitisation desensitization
standardised standardized|nebuliser nebulizer|nebulised nebulized|heparinised heparinized
anonymised anonymized
prioritise prioritize|metabolised metabolized|ionising ionizing|emphasise emphasize|recognised recognized
crystallised crystallized|tranquilliser tranquilizer|analysed analyzed|paralysed paralyzed
hydrolysed hydrolyzed
neutropaenia neutropenia|phaeochromocytoma pheochromocytoma|amoebiasis amebiasis|homoeopathy homeopathy
manoeuvre maneuver|chimaeric chimeric|flavoured flavored|practising practicing|metastasise metastasize
goitre goiter|moulds molds|uraemic uremic|bacteraemia bacteremia"""


@pytest.mark.parametrize("pair", PAIRS.replace("\n", "|").split("|"))
def test_british_and_american_meet(pair: str) -> None:
    british, us = pair.split()
    assert terms(british) == terms(us)
    # The first term is the word's, a second one that of a possible acronym.
    assert terms(british.upper())[0] == terms(us.title())[0]


@pytest.mark.parametrize(
    "word",
    """exercise promise advise arise anise otherwise disease surprise expertise incise circumcise supervise
    concise precise raise noise poise improvise compromise premise aerosol michaelis israel phoenix shoes toes
    coefficient microemulsion four hour pour tour contour glamour sour course source well cell shell spell
    label
    metro acre leucovorin leucine paraphrase dialysis analysis hepatitis bronchitis iris""".split(),
)
def test_look_alikes_are_left_alone(word: str) -> None:
    assert american(word) == word


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("metastases", "metastasis"),
        ("diagnoses", "diagnosis"),
        ("children", "child"),
        ("women", "woman"),
        ("criteria", "criterion"),
        ("biopsies", "biopsy"),
        ("vertebrae", "vertebra"),
        ("bacteria", "bacterium"),
        ("vasculitides", "vasculitis"),
        ("fungi", "fungus"),
        ("testes", "testis"),
        ("tumours", "tumor"),
        ("injuries", "injury"),
        ("viruses", "virus"),
    ],
)
def test_plural_and_singular_meet(one: str, other: str) -> None:
    assert terms(one) == terms(other)


def test_singular_leaves_other_words() -> None:
    assert [singular(word) for word in ("lupus", "diabetes", "series", "disease")] == [
        "lupus",
        "diabetes",
        "series",
        "disease",
    ]
    assert terms("lupus") == ["lupus"] and terms("metastasis") != terms("stenosis")

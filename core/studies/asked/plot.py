"""How the answer of anybody's own question is drawn, and its claim in a sentence. Imports no torch."""

from __future__ import annotations

from core.studies.asked.claim import Claim, Value
from core.studies.axes import BY_POLICY, DEPTH, Horizontal, Place, Plot, Setting
from core.studies.contrasts import side_title, title, value_title
from core.studies.records import QUANTITIES, field
from core.studies.spec import StudySpec


def plot_of(study: StudySpec) -> Plot:
    """The figure of a question: along the field that the claim is about, or the first that varies."""
    claim = study.asked.claim if study.asked else None
    varying = [axis.field for axis in study.axes if len(axis.values) > 1]
    along = claim.field if claim else next(iter(varying), study.axes[0].field)
    if along == "policy":
        return BY_POLICY
    numbers = [value for value in study.values(along) if _is_size(value)]
    if along == "architecture":
        nets = {str(net).rpartition("-")[0] for net in study.values(along)}
        if len(nets) == 1:
            return DEPTH
        return Plot(Horizontal("architecture", "category", lambda setting: title(setting.architecture), _policy, ()))
    if len(numbers) == len(study.values(along)):
        return Plot(Horizontal(along, "log", lambda setting: float(str(_at(setting, along))), _policy, (along,)))
    return Plot(Horizontal(along, "category", lambda setting: _place(setting, along), _policy, (along,)))


def _policy(setting: Setting) -> str:
    return value_title("policy", setting.policy)


def _at(setting: Setting, along: str) -> object:
    return field(setting.spec, along) if setting.spec else None


def _place(setting: Setting, along: str) -> Place:
    value = _at(setting, along)
    return value if isinstance(value, str) else side_title("", _scalar(value)).strip()


def _scalar(value: object) -> Value:
    return value if isinstance(value, bool | int | float | str | tuple) else None


def _is_size(value: Value) -> bool:
    """Whether a logarithmic axis has a place for it whose number can be read."""
    return (
        isinstance(value, int | float) and not isinstance(value, bool) and value > 0 and (value < 1 or value % 1 == 0)
    )


def sentence_of(claim: Claim | None) -> str:
    """The claim as a sentence; empty where nothing is claimed."""
    if claim is None or claim.says:
        return claim.says if claim else ""
    quantity = QUANTITIES[claim.quantity].title
    points = f"{claim.margin:g} point{'' if claim.margin == 1 else 's'}"
    by = f" by more than {points}" if claim.margin else ""
    one = "" if claim.value is None else side_title(claim.field, claim.value)
    others = ", ".join(side_title(claim.field, value) for value in claim.others)
    match claim.kind:
        case "beats":
            pairs = "; ".join(f"{a} beats {b}" for a, b in claim.couples.items())
            return f"{quantity}: {pairs or f'{one} beats {others or _every(claim)}'}{by}."
        case "rises" | "falls":
            return f"{quantity} {claim.kind} with {claim.field}{by}{' at each step' if by else ''}."
        case "same":
            among = f" ({others})" if others else ""
            what = f"No other value of {claim.field}{among} differs from {one}" if one else (
                f"No two values of {claim.field}{among} differ"
            )  # fmt: skip
            return f"{quantity}: {what[0].lower()}{what[1:]} by more than {points}."
        case "some-beat":
            some = f"one of {others}" if others else f"some other value of {claim.field}"
            return f"{quantity}: {some} beats {one}{by}."
    return f"{quantity}{f' with {one}' if one else ''} is within {points} of 0."


def _every(claim: Claim) -> str:
    return f"every other value of {claim.field}"

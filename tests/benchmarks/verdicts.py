"""How often a verdict is wrong: the rules of all studies on made-up runs whose true effect is known.

    python -m tests.benchmarks.verdicts                  # three minutes on one core
    python -m tests.benchmarks.verdicts --studies depth norm-init --trials 2000

Printed for each study at each scale, in percent of the trials: how often it says "holds" and "does not hold" where the
true effect is exactly at the edge of the claim (for the rule `within`, where it is zero and the claim true), how often
anything is decided at some moment while replicates come in one by one, and how often it says "holds" where the claim is
true by 5 points. It exits with 1 where more than 5% (and what chance allows) decide at the edge.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from math import sqrt
from random import Random

from core.studies.catalog.table import STUDIES, study_spec
from core.studies.named import NamedStudy
from core.studies.records import Record
from core.studies.spec import SCALES, Member, StudySpec
from core.studies.verdicts import Contrast, judge
from tests.core.studies.made import record

NOISE = 0.01
"""Standard deviation of a replicate, as a share."""
ALLOWED = 5.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--studies", nargs="+", default=list(STUDIES), choices=list(STUDIES))
    parser.add_argument("--scales", nargs="+", default=["minutes", "paper"], choices=list(SCALES))
    parser.add_argument("--trials", type=int, default=400)
    arguments = parser.parse_args()
    worst = 0.0
    print(f"{'study':<20}{'scale':<9}{'contrasts':>9}{'n':>4}{'holds':>8}{'fails':>8}{'ever':>8}{'holds at +5':>13}")
    for name in arguments.studies:
        for scale in arguments.scales:
            named, study = STUDIES[name], study_spec(name, scale)
            contrasts = [c for c in named.criterion.contrasts(study) if c.decides]
            at_edge, ever = outcomes(named, study, contrasts, 0.0, arguments.trials, looks=True)
            true, _ = outcomes(named, study, contrasts, 5.0, max(1, arguments.trials // 4), looks=False)
            print(
                f"{name:<20}{scale:<9}{len(contrasts):>9}{study.replicates:>4}{at_edge['holds']:>8.1f}"
                f"{at_edge['fails']:>8.1f}{ever:>8.1f}{true['holds']:>13.1f}",
                flush=True,
            )
            if named.criterion.rule != "within":
                worst = max(worst, ever)
    chance = 3 * 100 * sqrt(0.05 * 0.95 / arguments.trials)
    print(f"at most {worst:.1f}% decide at the edge; {ALLOWED + chance:.1f}% is what chance allows")
    return 0 if worst <= ALLOWED + chance else 1


def outcomes(
    named: NamedStudy, study: StudySpec, contrasts: list[Contrast], effect: float, trials: int, *, looks: bool
) -> tuple[dict[str, float], float]:
    """Percent of each outcome with all replicates, and of trials in which any look decided something.

    `effect`: points by which every deciding contrast is above its edge.
    """
    found: Counter[str] = Counter()
    decided = 0
    for trial in range(trials):
        draw = Random(f"{named.name}/{study.scale}/{effect}/{trial}")
        records = [made(named, member, contrasts, effect, draw) for member in study.members]
        last = judge(named.criterion, study, records).outcome
        found[last] += 1
        seen = {last}
        for keep in range(2, study.replicates) if looks else ():
            seen.add(judge(named.criterion, study, [r for r in records if r.spec.replicate < keep]).outcome)
        decided += seen != {"undecided"}
    return {name: 100 * found[name] / trials for name in ("holds", "fails", "undecided")}, 100 * decided / trials


def made(named: NamedStudy, member: Member, contrasts: list[Contrast], effect: float, draw: Random) -> Record:
    """A run whose quantity is at the edge of the claim, and `effect` points beyond it for each contrast."""
    rank = sum(_is(member, contrast.more) for contrast in contrasts)
    if named.criterion.rule == "above" and all(contrast.less for contrast in contrasts):
        rank = _steps(member, contrasts)
    edge = (named.criterion.margin + effect) / 100 if named.criterion.rule != "within" else 0.0
    value = 0.4 + rank * edge + draw.gauss(0, NOISE)
    if named.criterion.rule == "within":
        guessing = 1 / len(member.spec.data.classes)
        value = (guessing if named.criterion.quantity == "over-chance" else 0.4) + draw.gauss(0, NOISE)
    share = min(1.0, max(0.0, value))
    return record(member, share, disabled=share, change=draw.gauss(0, NOISE / 5), relu_off=share)


def _steps(member: Member, contrasts: list[Contrast]) -> int:
    """How many contrasts lie below the member in a chain such as ResNet-14 < ResNet-32 < ResNet-56."""
    count, place = 0, next((c for c in contrasts if _is(member, c.more)), None)
    while place is not None:
        count += 1
        less = place.less
        place = next((c for c in contrasts if c.more == less), None)
    return count


def _is(member: Member, where: object) -> bool:
    return isinstance(where, dict) and all(member.key[key] == value for key, value in where.items())


if __name__ == "__main__":
    sys.exit(main())

"""What ``evaluate`` tells the operator, in words."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from app.commands import face_evaluation
from app.commands.face_models import Say, trouble
from app.runtime import face_models
from app.runtime.face_models import PackTrouble

if TYPE_CHECKING:
    from app.commands.face_accuracy import Accuracy, Rate


def run(data_dir: Path, folder: Path, wanted: float, out: Path, pack: str, say: Say) -> int:
    """Evaluate and report; 1 when there are too few pairs to speak of the wanted rate."""
    try:
        with face_models.portraitist(data_dir, pack) as portraitist:
            found = face_evaluation.evaluate(portraitist, folder, wanted, out)
    except PackTrouble as error:
        raise trouble(error) from error
    say("evaluate_pictures", pictures=found.pictures, refused=sum(found.refused.values()))
    for code, count in sorted(found.refused.items()):
        say(f"fault_{code}", count=count)
    if found.people:
        say("evaluate_people", people=found.people)
    say("evaluate_pairs", genuine=found.genuine, impostors=found.impostors)
    _rates(found.accuracy, say)
    say("evaluate_written", path=str(out))
    return 0 if found.accuracy.is_supported else 1


def _rates(accuracy: Accuracy, say: Say) -> None:
    high = accuracy.threshold_high
    say("evaluate_threshold", wanted=percent(accuracy.wanted), threshold=f"{accuracy.threshold:.4f}")
    if high is None:
        say("evaluate_unsupported", wanted=percent(accuracy.wanted), needed=accuracy.impostors_needed)
    else:
        say("evaluate_interval", low=f"{accuracy.threshold_low:.4f}", high=f"{high:.4f}")
    for name, rate in (("far", accuracy.far), ("frr", accuracy.frr)):
        say(f"evaluate_{name}_found", **_words(rate))
    say("evaluate_dependent")


def _words(rate: Rate) -> dict[str, str | int]:
    return {
        "value": percent(rate.value),
        "low": percent(rate.low),
        "high": percent(rate.high),
        "errors": rate.errors,
        "trials": rate.trials,
    }


def percent(share: float) -> str:
    """A share in percent, with as many places as small ones need."""
    return f"{share * 100:.4g} %"

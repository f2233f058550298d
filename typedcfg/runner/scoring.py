"""The rule of a configuration by which its results are compared."""

from typedcfg.records.result_record import ScoreRule
from typedcfg.sections.run import Score


def rule_of(score: Score) -> ScoreRule:
    """The rule that a section `run.score` states."""
    return ScoreRule(score.metric, "max" if score.is_higher_better else "min", score.split)

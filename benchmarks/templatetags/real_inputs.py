"""What a template asks before it names real inputs."""

from django import template

from benchmarks.whose_values import are_told_to, reason_told

register = template.Library()


@register.filter
def tells_values_to(row, user) -> bool:
    """Whether ``user`` is told the names of the files of a model, a run or a sweep."""
    return are_told_to(user, row)


@register.filter
def reason_for(evaluation, user) -> str:
    """Return why an evaluation failed, as ``user`` is told it."""
    return reason_told(evaluation, is_told=are_told_to(user, evaluation.run))

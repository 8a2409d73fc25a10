"""The part of a page that asks what a run would come to under other factors."""

from django.core.exceptions import ValidationError

from benchmarks import whatif
from benchmarks.models import Run
from benchmarks.whatif_form import WhatIfForm, is_asked


def whatif_context(request, run: Run) -> dict:
    """Return what ``_whatif.html`` shows of ``run``, finished and fetched ``with_results``."""
    form = WhatIfForm(request.GET if is_asked(request.GET) else None, user=request.user)
    stored = run.estimate
    hints = {"year": stored.intensity_year, "pue": f"{stored.pue:g}"}
    for name, hint in hints.items():
        form.fields[name].widget.attrs["placeholder"] = f"{hint}, as measured"
    answer = _answer(run, form)
    return {
        "form": form,
        "run": run,
        "answer": answer,
        "base": whatif.base_of(run),
        "tables": whatif.tables(form.zones, form.profiles, answer.equivalents),
        "kept": [(name, value) for name, value in request.GET.items() if name not in form.fields],
    }


def _answer(run: Run, form: WhatIfForm) -> whatif.Answer:
    if form.is_bound and form.is_valid():
        try:
            return whatif.answer(run, form.question())
        except ValidationError as error:
            form.add_problems(error)
    return whatif.answer(run, whatif.Question())

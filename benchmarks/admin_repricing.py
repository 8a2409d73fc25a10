"""The admin's action that re-prices chosen runs: a preview first, then the deed."""

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.shortcuts import redirect
from django.template.response import TemplateResponse

from benchmarks import repricing


class RepriceForm(forms.Form):
    """Why the runs get new figures; shown on each run's page."""

    note = forms.CharField(
        label="Why",
        required=False,
        max_length=repricing.NOTE_LENGTH,
        help_text="Shown on each run's page beside your name, for instance “Ember 2027”.",
    )


@admin.action(description="Re-price at today's factors…", permissions=["reprice"])
def reprice_action(modeladmin, request, runs):
    """Preview what today's factors make of the chosen runs; once agreed to, add the estimates."""
    ids = list(runs.order_by("pk").values_list("pk", flat=True)[: repricing.RUN_LIMIT + 1])
    if len(ids) > repricing.RUN_LIMIT:
        messages.error(
            request,
            f"More than {repricing.RUN_LIMIT:,} runs are chosen: filter the list and re-price "
            "them in several goes.",
        )
        return None
    form = RepriceForm(request.POST if "agreed" in request.POST else None)
    if form.is_bound and form.is_valid():
        try:
            return _done(request, ids, form.cleaned_data["note"])
        except repricing.TablesMoved:
            messages.warning(
                request,
                "The figures have changed since you looked at them, so nothing was stored. "
                "This is how they are now.",
            )
    context = {
        **modeladmin.admin_site.each_context(request),
        "title": "Re-price at today's factors",
        "opts": modeladmin.model._meta,
        "preview": repricing.preview(ids),
        "form": form,
        "ids": ids,
        "checkbox_name": ACTION_CHECKBOX_NAME,
    }
    return TemplateResponse(request, "admin/benchmarks/run/reprice.html", context)


def _done(request, ids: list, note: str):
    count = repricing.reprice(
        ids, by=request.user, note=note, fingerprint=request.POST.get("fingerprint", "")
    )
    if count:
        messages.success(
            request, f"{count:,} run{'' if count == 1 else 's'} re-priced; the old figures stay."
        )
    else:
        messages.info(request, "Nothing changed: the figures are today's already.")
    return redirect(request.get_full_path())

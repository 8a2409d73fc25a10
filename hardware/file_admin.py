"""The admin's way to a new vintage: send a file, see what it would change, load it."""

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.shortcuts import redirect
from django.template.response import TemplateResponse

from hardware.models import ReferenceFile
from hardware.reading import MAX_FILE_BYTES, ReadFile
from hardware.received_files import FileGone, apply_file, keep_file, reread
from hardware.tables import Table
from hardware.vintages import HasComplaints, TableMoved, preview

SHOWN_COMPLAINT_COUNT = 200
SHOWN_KEPT_COUNT = 500


class ReferenceFileForm(forms.ModelForm):
    """A file and, where it does not say so itself, its vintage."""

    file = forms.FileField(
        label="CSV file",
        help_text="One of this site's tables, with the columns of its CSV download; or Our World "
        "in Data's download of “Carbon intensity of electricity generation”, or its energy table, "
        "as they are. Up to 25 MB and 50,000 lines, as UTF-8. Nothing is changed before you have "
        "seen a preview.",
        widget=forms.FileInput(attrs={"accept": ".csv,text/csv"}),
    )
    vintage = forms.CharField(
        max_length=40,
        required=False,
        help_text="When the figures were published, such as 2027-04. Needed for Our World in "
        "Data's files; otherwise for lines without a vintage of their own.",
    )

    class Meta:
        model = ReferenceFile
        fields = ("vintage",)

    def clean_file(self):
        file = self.cleaned_data["file"]
        if file.size > MAX_FILE_BYTES:
            raise forms.ValidationError("The file is larger than 25 MB: split it in parts.")
        return file


@admin.register(ReferenceFile)
class ReferenceFileAdmin(admin.ModelAdmin):
    """Files of figures: sent, previewed, loaded; afterwards the record of it."""

    list_display = ("file_name", "sent_by", "sent_at", "applied_at", "outcome")
    list_select_related = ("sent_by",)
    fields = ("file_name", "vintage", "sha256", "sent_by", "sent_at", "applied_at", "outcome")
    readonly_fields = fields
    add_form_template = "admin/hardware/referencefile/send.html"

    def has_delete_permission(self, request, obj=None):
        """The record of who loaded what stays."""
        return False

    def has_change_permission(self, request, obj=None):
        """A file is sent, loaded or left; nobody edits the record of it."""
        return False

    def get_queryset(self, request):
        return super().get_queryset(request).defer("content")

    def get_form(self, request, obj=None, change=False, **kwargs):
        return ReferenceFileForm if obj is None else super().get_form(request, obj, **kwargs)

    def get_fields(self, request, obj=None):
        return ("file", "vintage") if obj is None else self.fields

    def get_readonly_fields(self, request, obj=None):
        return () if obj is None else self.readonly_fields

    def save_form(self, request, form, change):
        sent = form.cleaned_data["file"]
        return keep_file(
            sent.read(),
            file_name=sent.name,
            vintage=form.cleaned_data["vintage"],
            user=request.user,
        )

    def save_model(self, request, obj, form, change):
        """Everything was stored when the file was kept."""

    def save_related(self, request, form, formsets, change):
        """Nothing hangs on a file."""

    def response_add(self, request, obj, post_url_continue=None):
        return redirect("admin:hardware_referencefile_change", obj.pk)

    def change_view(self, request, object_id, form_url="", extra_context=None):
        """The preview of a file that waits; the record of one that was loaded or dropped."""
        file = self.get_object(request, object_id)
        if file is None or file.applied_at or not self.has_add_permission(request):
            return super().change_view(request, object_id, form_url, extra_context)
        try:
            found = reread(file)
        except FileGone as gone:
            if request.method == "POST":
                return redirect("admin:hardware_referencefile_change", file.pk)
            messages.warning(request, f"{gone} Send it again to load it.")
            return super().change_view(request, object_id, form_url, extra_context)
        if request.method == "POST":
            return self._apply(request, file, found)
        return self._preview(request, file, found)

    def _apply(self, request, file: ReferenceFile, found: ReadFile):
        if found.table is None or not _may_load(request.user, found.table):
            raise PermissionDenied
        try:
            plan = apply_file(
                file,
                user=request.user,
                overwrite=set(request.POST.getlist("overwrite")),
                expected_digest=request.POST.get("digest", "-"),
            )
        except (TableMoved, HasComplaints) as refusal:
            messages.error(request, f"{refusal} Nothing was loaded: here is the preview anew.")
            return redirect("admin:hardware_referencefile_change", file.pk)
        self.log_change(request, file, f"Loaded {plan.table.label}: {plan}.")
        messages.success(request, f"Loaded into {plan.table.label}: {plan}.")
        return redirect(f"admin:hardware_{plan.table.model._meta.model_name}_changelist")

    def _preview(self, request, file: ReferenceFile, found: ReadFile):
        plan = None if found.complaints else preview(found)
        context = {
            **self.admin_site.each_context(request),
            "title": f"Preview of {file.file_name}",
            "opts": self.opts,
            "file": file,
            "found": found,
            "plan": plan,
            "may_load": found.table is not None and _may_load(request.user, found.table),
            "complaints": found.complaints[:SHOWN_COMPLAINT_COUNT],
            "kept": plan.kept[:SHOWN_KEPT_COUNT] if plan else [],
        }
        return TemplateResponse(request, "admin/hardware/referencefile/preview.html", context)


def _may_load(user, table: Table) -> bool:
    model_name = table.model._meta.model_name
    return user.has_perms([f"hardware.{verb}_{model_name}" for verb in ("add", "change")])

"""What a run is repeated with elsewhere: its job file, and a bundle of all it takes."""

from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from benchmarks import reproduction
from benchmarks.models import Run
from benchmarks.whose_values import are_told_to


@require_safe
def run_job(request, pk):
    """Give the job file of a run."""
    text = reproduction.job_text(_visible_run(request, pk))
    headers = {"Content-Disposition": 'attachment; filename="job.json"'}
    return HttpResponse(text, content_type="application/json", headers=headers)


@require_safe
def run_bundle(request, pk):
    """Give the job, the engine and, to those who may have them, the model and real inputs."""
    run = _visible_run(request, pk)
    files = reproduction.files_for(run, request.user)
    name = reproduction.bundle_name(run)
    return StreamingHttpResponse(
        reproduction.bundle(run, files, is_told=are_told_to(request.user, run)),
        content_type="application/zip",
        headers={
            "Content-Disposition": f'attachment; filename="{name}.zip"',
            # What is in it depends on who asks.
            "Cache-Control": "private, no-store",
        },
    )


def _visible_run(request, pk) -> Run:
    return get_object_or_404(Run.objects.visible_to(request.user).with_results(), pk=pk)

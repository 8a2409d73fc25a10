"""The pages of a person's machines: list, one machine, and the form that describes it."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_safe

from hardware.assumptions import NoIntensity, SourcedAssumptions, assumptions_of
from hardware.figures import figures_in_force
from hardware.forms import ProfileForm
from hardware.models import HardwareProfile
from hardware.power_split import power_split

PROFILES_PER_PAGE = 20


@require_safe
def profile_list(request):
    """My machines first, then the public ones."""
    profiles = HardwareProfile.objects.visible_to(request.user).with_factors()
    page = Paginator(profiles.mine_first(request.user), PROFILES_PER_PAGE).get_page(
        request.GET.get("page")
    )
    figures = figures_in_force({profile.zone for profile in page})
    cards = [
        {"profile": profile, "shares": power_split(profile), "figure": figures[profile.zone_id]}
        for profile in page
    ]
    return render(request, "hardware/profile_list.html", {"page": page, "cards": cards})


@require_safe
def profile_detail(request, pk):
    """One machine: its watts, then its country, then where each watt comes from."""
    profile = get_object_or_404(
        HardwareProfile.objects.visible_to(request.user).with_factors(), pk=pk
    )
    try:
        assumptions = assumptions_of(profile)
    except NoIntensity:
        assumptions = None
    context = {
        "profile": profile,
        "assumptions": assumptions,
        "origins": _origins(profile, assumptions) if assumptions else [],
        "figure": figures_in_force([profile.zone])[profile.zone_id],
        "shares": power_split(profile),
        "is_mine": profile.owner_id == request.user.pk,
    }
    return render(request, "hardware/profile_detail.html", context)


@login_required
def profile_new(request):
    """Describe a new machine."""
    return _edit(request, HardwareProfile(owner=request.user))


@login_required
def profile_edit(request, pk):
    """Change one of my machines."""
    return _edit(request, _mine(request.user, pk))


@login_required
def profile_delete(request, pk):
    """Ask, then delete one of my machines; runs made for it keep their figures."""
    profile = _mine(request.user, pk)
    if request.method == "POST":
        profile.delete()
        messages.success(request, f"“{profile.name}” is deleted. Its runs keep their figures.")
        return redirect("profiles")
    return render(request, "hardware/profile_delete.html", {"profile": profile})


def _origins(profile: HardwareProfile, assumptions: SourcedAssumptions) -> list[dict]:
    parts = [("CPU", assumptions.cpu, profile.cpu_power_w)]
    parts.append(("RAM", assumptions.ram, profile.memory_power_w))
    if assumptions.gpu:
        parts.append(("GPU", assumptions.gpu, profile.gpu_power_w))
    return [{"part": part, "origin": origin, "power_w": power} for part, origin, power in parts]


def _mine(user, pk) -> HardwareProfile:
    return get_object_or_404(HardwareProfile.objects.editable_by(user).with_factors(), pk=pk)


def _way_back(request) -> str | None:
    """Return the page of ours that sent the user here to describe a machine."""
    address = request.GET.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(
        address, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return address if is_ours else None


def _edit(request, profile):
    # The form writes on its profile; the heading keeps the stored name.
    stored_name = profile.name
    form = ProfileForm(request.POST or None, profile=profile)
    if request.method == "POST" and form.is_valid() and form.save():
        messages.success(request, f"“{profile.name}” is saved.")
        return redirect(_way_back(request) or profile)
    context = {
        "form": form,
        "stored_name": stored_name,
        "profile": None if profile._state.adding else profile,
    }
    return render(request, "hardware/profile_form.html", context)

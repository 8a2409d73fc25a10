"""Every route of the API, walked by every role; a route that the table misses fails."""

import pytest
from django.urls import URLPattern, get_resolver, reverse

from benchmarks.models import OnnxModel
from hardware.models import HardwareProfile
from tests.api.scripts import an_onnx_file, script_of
from tests.arrays import an_image, an_npz, an_upload
from tests.people import (
    PASSWORD,
    a_done_run,
    a_processor,
    a_profile,
    a_queued_run,
    a_ready_version,
    a_sweep,
    a_zone,
    an_input_set,
    anonymous,
    owner,
    stranger,
    teammate,
)

pytestmark = pytest.mark.django_db

ROLES = {"owner": owner, "teammate": teammate, "stranger": stranger, "anonymous": anonymous}
HTTP_METHODS = {"get", "post", "put", "patch", "delete"}
# The statuses of owner, teammate, stranger and anonymous, for what the owner keeps private.
WHEN_PRIVATE = {
    ("api-root", "GET"): (200, 200, 200, 200),
    ("api-schema", "GET"): (200, 200, 200, 200),
    ("api-docs", "GET"): (200, 200, 200, 200),
    ("api-tokens", "POST"): (201, 201, 201, 201),
    ("api-me", "GET"): (200, 200, 200, 401),
    ("api-zones", "GET"): (200, 200, 200, 200),
    ("api-zone", "GET"): (200, 200, 200, 200),
    ("api-processors", "GET"): (200, 200, 200, 200),
    ("api-processor", "GET"): (200, 200, 200, 200),
    ("api-processor-match", "GET"): (200, 200, 200, 200),
    ("api-ram-models", "GET"): (200, 200, 200, 200),
    ("api-pue", "GET"): (200, 200, 200, 200),
    ("api-embodied", "GET"): (200, 200, 200, 200),
    ("api-equivalences", "GET"): (200, 200, 200, 200),
    ("api-profiles", "GET"): (200, 200, 200, 200),
    ("api-profiles", "POST"): (201, 201, 201, 401),
    ("api-profile", "GET"): (200, 404, 404, 404),
    ("api-profile", "PATCH"): (200, 404, 404, 401),
    ("api-profile", "DELETE"): (204, 404, 404, 401),
    ("api-models", "GET"): (200, 200, 200, 200),
    ("api-models", "POST"): (201, 201, 201, 401),
    ("api-model", "GET"): (200, 404, 404, 404),
    ("api-model", "PATCH"): (200, 404, 404, 401),
    ("api-model", "DELETE"): (204, 404, 404, 401),
    ("api-model-versions", "POST"): (201, 404, 404, 401),
    ("api-model-history", "GET"): (200, 404, 404, 404),
    ("api-model-inputs", "GET"): (200, 404, 404, 404),
    ("api-model-inputs", "POST"): (201, 404, 404, 401),
    ("api-model-input", "DELETE"): (204, 404, 404, 401),
    ("api-version", "GET"): (200, 404, 404, 404),
    ("api-version", "PATCH"): (200, 404, 404, 401),
    ("api-compare", "GET"): (200, 404, 404, 404),
    ("api-runs", "GET"): (200, 200, 200, 200),
    ("api-runs", "POST"): (201, 400, 400, 401),
    ("api-run", "GET"): (200, 404, 404, 404),
    ("api-run-job", "GET"): (200, 404, 404, 404),
    ("api-run-cancel", "POST"): (200, 404, 404, 401),
    ("api-run-countries", "GET"): (200, 404, 404, 404),
    ("api-run-difference", "GET"): (200, 404, 404, 404),
    ("api-run-whatif", "GET"): (200, 404, 404, 404),
    ("api-sweeps", "GET"): (200, 200, 200, 200),
    ("api-sweeps", "POST"): (201, 400, 400, 401),
    ("api-sweep", "GET"): (200, 404, 404, 404),
    ("api-sweep-cancel", "POST"): (200, 404, 404, 401),
}
# Routes of a run with a result.
FINISHED_ONLY = {"api-run-whatif", "api-run-countries", "api-run-difference"}
READABLE_WHEN_PUBLIC = {
    "api-profile",
    "api-model",
    "api-model-history",
    "api-version",
    "api-run",
    "api-run-job",
    *FINISHED_ONLY,
    "api-sweep",
    "api-compare",
}
OWNED = READABLE_WHEN_PUBLIC | {
    *("api-model-versions", "api-model-inputs", "api-model-input"),
    *("api-run-cancel", "api-runs"),
    *("api-sweeps", "api-sweep-cancel"),
}
WHEN_PUBLIC = WHEN_PRIVATE | {(name, "GET"): (200, 200, 200, 200) for name in READABLE_WHEN_PUBLIC}


def routes_of_the_api():
    """The (name, method) of every route below /api/, from the site's own table of addresses."""
    (api,) = [one for one in get_resolver().url_patterns if str(one.pattern) == "api/"]
    return {
        (route.name, method.upper())
        for route in _leaves(api)
        for method in HTTP_METHODS.intersection(route.callback.view_class.http_method_names)
        if hasattr(route.callback.view_class, method)
    }


def _leaves(resolver):
    for one in resolver.url_patterns:
        if isinstance(one, URLPattern):
            yield one
        else:
            yield from _leaves(one)


def expected(table, name, method, role):
    return table[name, method][list(ROLES).index(role)]


def status_for(role, story, name, method):
    """Send a fitting request as ``role`` and return the answer's status."""
    return sent(script_of(ROLES[role]()), story, name, method).status_code


def sent(script, story, name, method):
    body = story.body(name, method)
    if method == "GET":
        return script.get(story.address(name))
    is_upload = body is not None and "file" in body
    return getattr(script, method.lower())(
        story.address(name), body, format="multipart" if is_upload else "json"
    )


class Story:
    """The owner's things, and a fitting request for each route."""

    def __init__(self):
        self.zone = a_zone()
        self.processor = a_processor()
        self.profile = a_profile()
        self.version = a_ready_version()
        self.sweep = a_sweep(self.version, self.profile)
        self.run = a_queued_run(self.version, self.profile, sweep=self.sweep)
        self.input_set = an_input_set(self.version.onnx_model)
        self.done_run = None

    def publish(self):
        OnnxModel.objects.update(visibility="public")
        HardwareProfile.objects.update(visibility="public")

    def address(self, name):
        id_by_name = {
            "api-zone": self.zone.pk,
            "api-processor": self.processor.pk,
            "api-profile": self.profile.pk,
            "api-model": self.version.onnx_model_id,
            "api-model-history": self.version.onnx_model_id,
            "api-model-versions": self.version.onnx_model_id,
            "api-model-inputs": self.version.onnx_model_id,
            "api-model-input": self.input_set.pk,
            "api-version": self.version.pk,
            "api-run": self.run.pk,
            "api-run-job": self.run.pk,
            "api-run-cancel": self.run.pk,
            **dict.fromkeys(FINISHED_ONLY, self.finished_run_id(name)),
            "api-sweep": self.sweep.pk,
            "api-sweep-cancel": self.sweep.pk,
        }
        arguments = [id_by_name[name]] if name in id_by_name else []
        if name == "api-model-input":
            arguments = [self.version.onnx_model_id, *arguments]
        address = reverse(name, args=arguments)
        return address + self.question(name)

    def question(self, name):
        """What an address asks, where it has to ask something."""
        if name == "api-compare":
            other = a_ready_version(onnx_model=self.version.onnx_model)
            return f"?version={self.version.pk}&version={other.pk}"
        if name == "api-run-difference":
            return f"?before={a_done_run(self.version, self.profile).pk}"
        return "?name=M1" if name == "api-processor-match" else ""

    def finished_run_id(self, name):
        """A run with a result, made only for the route that needs one: lists count the runs."""
        if name in FINISHED_ONLY and self.done_run is None:
            self.done_run = a_done_run(self.version, self.profile)
        return self.done_run and self.done_run.pk

    def body(self, name, method):
        file = an_onnx_file(b"another")
        bodies = {
            ("api-tokens", "POST"): {"username": "owner", "password": PASSWORD, "name": "ci"},
            ("api-profiles", "POST"): {"name": "New", "zone": "IND", "cpu_tdp_w": 13, "ram_gb": 8},
            ("api-profile", "PATCH"): {"name": "Renamed"},
            ("api-models", "POST"): {"name": "New", "file": file},
            ("api-model", "PATCH"): {"name": "Renamed"},
            ("api-model-versions", "POST"): {"file": file},
            ("api-version", "PATCH"): {"accuracy_ratio": 0.9},
            ("api-model-inputs", "POST"): {"file": an_upload(an_npz(input=an_image(2)), "x.npz")},
            ("api-runs", "POST"): {
                "version": str(self.version.pk),
                "profile": str(self.profile.pk),
            },
            ("api-sweeps", "POST"): {
                "version": str(self.version.pk),
                "profile": str(self.profile.pk),
                "batch_sizes": [1, 2],
            },
        }
        return bodies.get((name, method))


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name, method", sorted(WHEN_PRIVATE))
def test_each_role_gets_what_it_may(name, method, role):
    assert status_for(role, Story(), name, method) == expected(WHEN_PRIVATE, name, method, role)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name, method", sorted(call for call in WHEN_PUBLIC if call[0] in OWNED))
def test_what_is_public_is_read_by_all_and_still_written_by_its_owner_only(name, method, role):
    story = Story()
    story.publish()

    assert status_for(role, story, name, method) == expected(WHEN_PUBLIC, name, method, role)


def test_no_route_is_missing_from_the_table():
    assert routes_of_the_api() == set(WHEN_PRIVATE)


@pytest.mark.parametrize("name", ["api-profiles", "api-models", "api-runs", "api-sweeps"])
def test_lists_hold_nobody_elses_private_things(name):
    story = Story()

    counts = [
        len(script_of(ROLES[role]()).get(story.address(name)).json()["results"]) for role in ROLES
    ]
    story.publish()
    public_counts = [
        len(script_of(ROLES[role]()).get(story.address(name)).json()["results"]) for role in ROLES
    ]

    assert counts == [1, 0, 0, 0]
    assert public_counts == [1, 1, 1, 1]


@pytest.mark.parametrize(
    "name, method",
    sorted(call for call in WHEN_PRIVATE if call[1] != "GET" and call[0] != "api-tokens"),
)
def test_a_token_that_may_only_read_writes_nothing(name, method):
    story = Story()

    answer = sent(script_of(owner(), scope="read"), story, name, method)

    assert answer.status_code == 403
    assert answer.json()["type"] == "permission_denied"

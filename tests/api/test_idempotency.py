"""A request sent again with its Idempotency-Key makes nothing twice."""

import pytest

from benchmarks.api.idempotency import Attempt
from benchmarks.models import IdempotencyKey, ModelVersion, OnnxModel, Run
from tests.api.scripts import BASE, an_onnx_file, assert_problem, script_of
from tests.people import a_model, a_profile, a_queued_run, a_ready_version, owner, stranger

pytestmark = pytest.mark.django_db

KEY = {"HTTP_IDEMPOTENCY_KEY": "one"}


class KeyedRequest:
    """What an attempt looks at in a request."""

    def __init__(self, user, key="one"):
        self.user = user
        self.headers = {"Idempotency-Key": key}


def post_model(user, **headers):
    return script_of(user).post(
        f"{BASE}/models/",
        {"name": "LeNet-5", "file": an_onnx_file()},
        format="multipart",
        **headers,
    )


def test_the_same_key_gives_the_same_model_back():
    first, second = post_model(owner(), **KEY), post_model(owner(), **KEY)

    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert OnnxModel.objects.count() == ModelVersion.objects.count() == 1


def test_a_retry_is_answered_even_where_the_first_upload_filled_the_quota(settings):
    settings.USER_QUOTA_BYTES = 20

    first, second = post_model(owner(), **KEY), post_model(owner(), **KEY)

    assert (first.status_code, second.status_code) == (201, 201)


def test_the_same_key_gives_the_same_version_back():
    onnx_model = a_model()
    address = f"{BASE}/models/{onnx_model.pk}/versions/"

    ids = {
        script_of(owner())
        .post(address, {"file": an_onnx_file()}, format="multipart", **KEY)
        .json()["id"]
        for _ in range(2)
    }

    assert len(ids) == ModelVersion.objects.count() == 1


def test_the_same_key_gives_the_same_run_back():
    body = {"version": str(a_ready_version().pk), "profile": str(a_profile().pk)}

    answers = [
        script_of(owner()).post(f"{BASE}/runs/", body, format="json", **KEY) for _ in range(2)
    ]

    assert [one.status_code for one in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert Run.objects.count() == 1


def test_a_key_is_its_owners_and_its_actions():
    other = a_model(name="Other")

    first, theirs = post_model(owner(), **KEY), post_model(stranger(), **KEY)
    version = script_of(owner()).post(
        f"{BASE}/models/{other.pk}/versions/", {"file": an_onnx_file()}, format="multipart", **KEY
    )

    assert first.json()["id"] != theirs.json()["id"]
    assert version.status_code == 201


def test_without_a_key_each_request_makes_a_run():
    body = {"version": str(a_ready_version().pk), "profile": str(a_profile().pk)}

    for _ in range(2):
        script_of(owner()).post(f"{BASE}/runs/", body, format="json")

    assert Run.objects.count() == 2


def test_a_refused_request_leaves_its_key_free():
    onnx_model = a_model(name="LeNet-5")

    refused = post_model(owner(), **KEY)
    onnx_model.delete()
    accepted = post_model(owner(), **KEY)

    assert (refused.status_code, accepted.status_code) == (400, 201)


def test_of_two_requests_at_once_the_second_gets_what_the_first_made():
    first, second = (Attempt(KeyedRequest(owner()), "runs") for _ in range(2))
    made = []

    def make():
        made.append(a_queued_run())
        return made[-1]

    # Both looked before either had made anything: that is the race.
    assert first.earlier_id() is second.earlier_id() is None
    first_id, second_id = first.make_once(make), second.make_once(make)

    assert first_id == second_id == made[0].pk
    assert Run.objects.count() == IdempotencyKey.objects.count() == 1


def test_what_a_key_made_may_have_been_deleted_since():
    post_model(owner(), **KEY)
    OnnxModel.objects.all().delete()

    assert_problem(post_model(owner(), **KEY), 404)


@pytest.mark.parametrize("key", ["", "x" * 201, "é", "a\x00b"])
def test_a_key_that_is_none_is_refused(key):
    answer = post_model(owner(), HTTP_IDEMPOTENCY_KEY=key)

    assert assert_problem(answer, 400)["errors"][0]["field"] == "Idempotency-Key"

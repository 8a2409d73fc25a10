"""Requests and workers that meet at the same moment, on real connections of their own."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.conf import settings as site_settings
from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import F
from django.test import Client
from django.utils import timezone

from benchmarks.api.idempotency import Attempt
from benchmarks.input_sets import receive_input_set
from benchmarks.models import IdempotencyKey, InputSet, ModelVersion, OnnxModel, Run
from benchmarks.outcomes import record_failure
from benchmarks.received import UploadTooLarge, received_from_bytes, stored_bytes
from benchmarks.submission import RunSettings, submit_run
from benchmarks.uploads import delete_model, receive_model, receive_version
from tests.arrays import an_image, an_npz
from tests.people import a_model, a_profile, a_queued_run, a_ready_version, owner

pytestmark = pytest.mark.django_db(transaction=True)

CROWD = 8


def all_at_once(*actions):
    """Do each of ``actions`` in a thread of its own, started together; return their answers."""
    together = threading.Barrier(len(actions))

    def act(action):
        try:
            together.wait(timeout=10)
            return action()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(actions)) as crowd:
        return [future.result() for future in [crowd.submit(act, one) for one in actions]]


class KeyedRequest:
    """What an attempt looks at in a request."""

    def __init__(self, user):
        self.user = user
        self.headers = {"Idempotency-Key": "one"}


def test_one_key_sent_eight_times_at_once_makes_one_run():
    user, version, profile = owner(), a_ready_version(), a_profile()

    def post():
        attempt = Attempt(KeyedRequest(user), "runs")
        return attempt.earlier_id() or attempt.make_once(
            lambda: submit_run(owner=user, version=version, profile=profile, settings=RunSettings())
        )

    run_ids = all_at_once(*[post] * CROWD)

    assert set(run_ids) == {Run.objects.get().pk}
    assert IdempotencyKey.objects.get().object_id == run_ids[0]


def test_runs_asked_for_at_once_do_not_pass_the_limit_of_waiting_ones(settings):
    settings.USER_QUEUED_RUN_LIMIT = 3
    user, version, profile = owner(), a_ready_version(), a_profile()

    def ask():
        try:
            return submit_run(owner=user, version=version, profile=profile, settings=RunSettings())
        except ValidationError as refusal:
            return refusal

    answers = all_at_once(*[ask] * CROWD)

    assert sum(isinstance(answer, Run) for answer in answers) == 3
    assert Run.objects.count() == 3


def test_eight_workers_that_claim_one_run_have_one_winner():
    run = a_queued_run()

    claims = all_at_once(*[lambda: Run.objects.claim(run.pk, worker_name="w")] * CROWD)

    run.refresh_from_db()
    assert [claim for claim in claims if claim] == [run.claim_token]
    assert run.attempts == 1


def test_a_run_cancelled_claimed_and_failed_at_once_has_one_end():
    run = a_queued_run()
    claim_token = Run.objects.claim(run.pk, worker_name="w")

    cancelled, recorded = all_at_once(
        lambda: Run.objects.cancel(run.pk),
        lambda: record_failure(run.pk, claim_token, code="crashed", message="It crashed."),
    )

    run.refresh_from_db()
    assert cancelled != recorded
    assert run.status == ("cancelled" if cancelled else "failed")


def test_a_stalled_run_that_two_sweeps_find_is_queued_again_once():
    run = a_queued_run()
    Run.objects.claim(run.pk, worker_name="w")
    Run.objects.update(lease_expires_at=timezone.now(), attempts=F("attempts"))

    requeued = all_at_once(*[lambda: Run.objects.requeue_stalled(run.pk)] * CROWD)

    assert requeued.count(True) == 1


def test_versions_uploaded_at_once_are_numbered_without_a_gap():
    onnx_model = a_model()

    def upload(number):
        return lambda: receive_version(onnx_model, received_from_bytes(b"%d" % number, "m.onnx"))

    all_at_once(*[upload(number) for number in range(CROWD)])

    numbers = ModelVersion.objects.order_by("number").values_list("number", flat=True)
    assert list(numbers) == list(range(1, CROWD + 1))


def _uploaded(user, name, content):
    try:
        return receive_model(
            owner=user,
            name=name,
            visibility="private",
            uploaded=received_from_bytes(content, "m.onnx"),
        )
    except (ValidationError, UploadTooLarge) as refusal:
        return refusal


def test_uploads_at_once_do_not_break_the_quota(settings):
    settings.USER_QUOTA_BYTES = 300
    user = owner()

    answers = all_at_once(
        *[lambda n=n: _uploaded(user, f"model {n}", bytes([n]) * 100) for n in range(CROWD)]
    )

    assert sum(isinstance(answer, ModelVersion) for answer in answers) == 3
    assert ModelVersion.objects.stored_bytes(user) == 300


def test_the_sample_model_asked_for_eight_times_at_once_is_one_model():
    clients = [Client() for _ in range(CROWD)]
    for client in clients:
        client.force_login(owner())

    answers = all_at_once(*[lambda c=c: c.post("/models/sample/") for c in clients])

    assert {answer.url for answer in answers} == {OnnxModel.objects.get().get_absolute_url()}


def test_one_name_taken_eight_times_at_once_is_one_model():
    user = owner()

    answers = all_at_once(*[lambda: _uploaded(user, "LeNet-5", b"the same bytes")] * CROWD)

    refusals = [answer for answer in answers if isinstance(answer, ValidationError)]
    assert len(refusals) == CROWD - 1
    assert all("name" in refusal.message_dict for refusal in refusals)
    assert OnnxModel.objects.count() == ModelVersion.objects.count() == 1


def _inputs_received(version, name, value):
    content = an_npz(input=an_image(value=value))
    try:
        return receive_input_set(version.onnx_model, [received_from_bytes(content, "i.npz")], name)
    except (ValidationError, UploadTooLarge) as refusal:
        return refusal


def test_real_inputs_and_models_sent_at_once_do_not_break_the_quota(settings):
    version = a_ready_version()
    size_bytes = len(an_npz(input=an_image()))
    settings.USER_QUOTA_BYTES = version.size_bytes + 3 * size_bytes + 10
    user = owner()

    answers = all_at_once(
        *[lambda n=n: _inputs_received(version, f"set {n}", n) for n in range(CROWD // 2)],
        *[lambda n=n: _uploaded(user, f"{n}", bytes([n]) * size_bytes) for n in range(CROWD // 2)],
    )

    assert sum(isinstance(answer, ModelVersion | InputSet) for answer in answers) == 3
    assert stored_bytes(user) == version.size_bytes + 3 * size_bytes


def test_the_same_inputs_sent_eight_times_at_once_are_stored_once():
    version = a_ready_version()

    answers = all_at_once(*[lambda: _inputs_received(version, "", 0.5)] * CROWD)

    assert {answer.pk for answer in answers} == {InputSet.objects.get().pk}


def test_one_name_for_eight_different_inputs_at_once_is_one_set():
    version = a_ready_version()

    answers = all_at_once(
        *[lambda n=n: _inputs_received(version, "photos", n) for n in range(CROWD)]
    )

    refusals = [answer for answer in answers if isinstance(answer, ValidationError)]
    assert len(refusals) == CROWD - 1
    assert all("name" in refusal.message_dict for refusal in refusals)
    assert InputSet.objects.count() == 1


@pytest.mark.parametrize("attempt", range(5))
def test_a_file_uploaded_again_while_it_is_deleted_is_there(attempt):
    user = owner()
    old = _uploaded(user, "old", b"the same bytes")

    _, new = all_at_once(
        lambda: delete_model(old.onnx_model), lambda: _uploaded(user, "new", b"the same bytes")
    )

    stored = [path for path in Path(site_settings.MEDIA_ROOT).rglob("*") if path.is_file()]
    assert [path.name for path in stored] == [f"{new.sha256}.onnx"]


def test_workers_that_answer_at_once_take_a_run_each():
    runs = {a_queued_run().pk for _ in range(3)}

    claims = all_at_once(*[lambda: Run.objects.claim_next(worker_name="w")] * CROWD)

    taken = [claim[0] for claim in claims if claim]
    assert sorted(taken) == sorted(runs)

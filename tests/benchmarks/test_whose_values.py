"""What real inputs, evaluation sets and uploaded files are called stays with their owner."""

from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.utils import timezone

from benchmarks.comparison import compare
from benchmarks.models import InputSet, ModelVersion, OnnxModel, Run, Sweep
from benchmarks.outcomes import store_evaluation
from benchmarks.surroundings import environment_difference
from benchmarks.timeline import timeline_of
from benchmarks.whose_values import are_told_to
from runner.evaluated import EvaluationResult
from runner.results import Failure
from tests.benchmarks.test_reproduction import unzipped
from tests.people import (
    a_done_run,
    a_model,
    a_queued_run,
    a_ready_version,
    a_sweep,
    admin,
    an_input_set,
    anonymous,
    owner,
    stranger,
)

pytestmark = pytest.mark.django_db
NAME, FILE, LABEL = "patients-2026", "secret-project.onnx", "SEVENTEEN"
RIGHT = EvaluationResult(40, 38, 0, "scores", "scores", 10, 32, 0, 0.1)
BAD_LABELS = Failure("bad_labels", f"The label of item 2 is {LABEL}.")


def as_columns(input_set):
    return {
        "input_set": input_set,
        "values_name": input_set.name,
        "values_sha256": input_set.sha256,
    }


@dataclass
class Story:
    """A public model whose runs were fed private arrays, each version other ones."""

    model: OnnxModel
    versions: list[ModelVersion]
    sets: list[InputSet]
    evaluated: Run
    refused: Run
    failed: Run
    waiting: Run
    sweep: Sweep

    @property
    def secrets(self):
        return [NAME, FILE, LABEL, *(one.sha256[:12] for one in self.sets)]

    def addresses(self):
        """Every page, file and call that tells of the runs."""
        versions = [one.pk for one in self.versions]
        pair = f"before={self.evaluated.pk}&after={self.refused.pk}"
        yield from (
            "/",
            "/models/",
            f"/models/{self.model.pk}/",
            f"/models/{self.model.pk}/?{pair}",
        )
        for path in ("history/", "history.json", "history.csv"):
            yield f"/models/{self.model.pk}/{path}"
        for run in (self.evaluated, self.refused, self.failed, self.waiting):
            yield from (
                f"/runs/{run.pk}/",
                f"/runs/{run.pk}/job.json",
                f"/runs/{run.pk}/bundle.zip",
            )
            yield from (f"/api/v1/runs/{run.pk}/", f"/api/v1/runs/{run.pk}/job/")
        yield f"/runs/{self.waiting.pk}/status/"
        for path in ("", "status/", "sweep.csv"):
            yield f"/sweeps/{self.sweep.pk}/{path}"
        yield f"/compare/?v={versions[0]}&v={versions[1]}"
        yield f"/compare.csv?v={versions[0]}&v={versions[1]}"
        yield f"/api/v1/compare/?version={versions[0]}&version={versions[1]}"
        yield f"/api/v1/runs/{self.refused.pk}/difference/?before={self.evaluated.pk}"
        yield from ("/api/v1/models/", "/api/v1/runs/", "/api/v1/sweeps/")
        yield from (f"/api/v1/models/{self.model.pk}/", f"/api/v1/models/{self.model.pk}/history/")
        yield from (f"/api/v1/versions/{one}/" for one in versions)
        yield f"/api/v1/sweeps/{self.sweep.pk}/"


@pytest.fixture
def story():
    model = a_model(visibility="public")
    versions = [
        a_ready_version(onnx_model=model, content=content, original_name=FILE)
        for content in (b"one", b"two")
    ]
    sets = [an_input_set(model, content, name=NAME + content.decode()) for content in (b"a", b"b")]
    first, second = (as_columns(one) for one in sets)
    day_ago = timezone.now() - timedelta(days=1)
    evaluated = a_done_run(versions[0], finished_at=day_ago, measures_accuracy=True, **first)
    refused = a_done_run(versions[1], measures_accuracy=True, **second)
    store_evaluation(evaluated, RIGHT)
    store_evaluation(refused, BAD_LABELS)
    ended = {"finished_at": timezone.now(), "failure_code": "bad_input", "failure_message": "No."}
    failed = a_queued_run(versions[0], status="failed", **ended, **first)
    sweep = a_sweep(versions[0], batch_sizes=[1])
    Sweep.objects.update(**first)
    sweep.runs.update(**first)
    waiting = a_queued_run(versions[0], **first)
    return Story(model, versions, sets, evaluated, refused, failed, waiting, sweep)


def said(client, address):
    """The text of an answer; of a bundle, that of all its files."""
    answer = client.get(address)
    assert answer.status_code == 200, (address, answer.status_code)
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    if answer["Content-Type"] == "application/zip":
        content = b"\n".join(unzipped(content).values())
    return content.decode(errors="replace")


@pytest.mark.parametrize("person", [stranger, anonymous])
def test_nobody_else_is_told_names_and_hashes_of_private_files(client, story, person):
    if person is stranger:
        client.force_login(stranger())

    told = {
        address: [secret for secret in story.secrets if secret in text]
        for address in story.addresses()
        for text in [said(client, address)]
    }

    assert {address: secrets for address, secrets in told.items() if secrets} == {}


@pytest.mark.parametrize("person", [owner, admin])
def test_the_owner_and_staff_are_told(client, story, person):
    client.force_login(person())
    run, model, version = story.evaluated.pk, story.model.pk, story.versions[0].pk
    named = [f"/runs/{run}/", f"/runs/{story.failed.pk}/", f"/runs/{story.waiting.pk}/"]
    named += [f"/runs/{run}/bundle.zip", f"/sweeps/{story.sweep.pk}/", f"/models/{model}/"]
    named += [f"/models/{model}/history/", f"/models/{model}/history.json"]
    named += [f"/compare/?v={version}&v={story.versions[1].pk}", f"/api/v1/models/{model}/history/"]
    named += [f"/api/v1/runs/{story.refused.pk}/difference/?before={run}"]
    hashed = [f"/runs/{run}/", f"/runs/{run}/bundle.zip", f"/api/v1/runs/{run}/"]
    hashed += [f"/api/v1/versions/{version}/", f"/api/v1/models/{model}/", "/api/v1/models/"]
    hashed += [f"/api/v1/sweeps/{story.sweep.pk}/", "/api/v1/runs/"]

    assert [one for one in [*named, *hashed] if NAME not in said(client, one)] == []
    assert [one for one in hashed if story.sets[0].sha256[:12] not in said(client, one)] == []
    assert LABEL in said(client, f"/runs/{story.refused.pk}/")
    assert FILE in said(client, f"/models/{model}/")


def test_everybody_sees_that_there_were_real_inputs_and_of_what_shape(client, story):
    page = " ".join(said(client, f"/runs/{story.waiting.pk}/").split())
    settings = client.get(f"/api/v1/runs/{story.evaluated.pk}/").json()["settings"]
    evaluation = client.get(f"/api/v1/runs/{story.refused.pk}/").json()["evaluation"]

    assert "Real inputs of the owner's, as they are" in page
    assert "1 × 1 × 28 × 28" in page
    assert settings["values_name"] == "real inputs of the owner's"
    assert settings["values_sha256"] is None
    assert evaluation["failure"]["code"] == "bad_labels"
    assert "Its owner is told why" in evaluation["failure"]["message"]


def test_a_strangers_bundle_says_who_can_tell_which_file_is_missing(client, story):
    content = b"".join(client.get(f"/runs/{story.evaluated.pk}/bundle.zip").streaming_content)

    files = unzipped(content)

    assert "values.npz.sha256" not in files
    assert "the owner of the model can tell" in files["README.md"].decode()
    assert "model.onnx.sha256" in files


def labels(story, user):
    return {line.label.split("thread, ")[1] for line in timeline_of(story.model, user=user).lines}


def test_lines_fed_other_arrays_can_be_told_apart_without_their_names(story):
    assert labels(story, owner()) == {f"fed “{NAME}a”", f"fed “{NAME}b”"}
    assert labels(story, stranger()) == labels(story, None)
    assert labels(story, None) == {
        "fed real inputs of the owner's (1)",
        "fed real inputs of the owner's (2)",
    }

    story.refused.delete()

    assert labels(story, None) == {"fed real inputs of the owner's"}


def test_a_point_of_the_history_is_called_as_its_line_is(story):
    for user in (owner(), stranger()):
        timeline = timeline_of(story.model, user=user)
        by_point = {point.key.settings_label for point in timeline.all_points()}

        assert by_point == {line.key.settings_label for line in timeline.lines}


def test_other_arrays_are_a_difference_and_a_new_name_for_the_same_is_none(story):
    renamed = a_done_run(
        story.versions[1], **as_columns(story.sets[0]) | {"values_name": "renamed"}
    )

    def difference(other, user=None):
        found = environment_difference(story.evaluated, other, user=user)
        return [(one.first, one.second) for one in found if one.name == "real inputs"]

    hidden = "real inputs of the owner's"
    assert difference(story.refused) == [(hidden, f"other {hidden}")]
    assert difference(story.refused, owner()) == [(f"{NAME}a", f"{NAME}b")]
    assert difference(a_done_run(story.versions[1])) == [(hidden, "none")]
    assert difference(renamed) == difference(renamed, owner()) == []


def test_sending_what_one_guesses_a_file_to_be_confirms_nothing(story):
    """The same bytes, sent by somebody else, are never told to be the same."""
    guess = a_ready_version(stranger())
    values = as_columns(an_input_set(guess.onnx_model, b"a"))
    run = a_done_run(guess, measures_accuracy=True, **values)
    store_evaluation(run, RIGHT)
    versions = ModelVersion.objects.select_related("onnx_model__owner", "evaluation")
    asked = list(versions.filter(pk__in=[guess.pk, story.versions[0].pk]))

    found = compare(asked, user=stranger())

    assert values["values_sha256"] == story.evaluated.values_sha256
    assert "inputs" in found.differences
    assert found.is_accuracy_mixed
    names = [one.name for one in environment_difference(run, story.evaluated, user=stranger())]
    assert "real inputs" in names


@pytest.mark.parametrize("person", [owner, stranger, anonymous, admin])
def test_names_are_told_to_those_who_may_download_the_file(story, person):
    may_download = InputSet.objects.visible_to(person()).filter(pk=story.sets[0].pk).exists()

    assert are_told_to(person(), story.model) == may_download
    assert are_told_to(person(), story.evaluated) == may_download
    assert are_told_to(person(), story.sweep) == may_download

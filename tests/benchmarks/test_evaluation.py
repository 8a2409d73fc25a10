"""A run measures its accuracy too: recorded with the result, and never at its cost."""

import numpy as np
import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from benchmarks import execution, outcomes
from benchmarks.input_sets import delete_input_set, receive_input_set
from benchmarks.models import Evaluation, InputSet, ModelVersion, Run
from benchmarks.received import received_from_bytes
from benchmarks.submission import RunSettings, submit_again, submit_run
from benchmarks.uploads import change_details
from footprint.proportion import proportion_of
from runner import job
from runner.evaluated import EvaluationResult
from runner.results import Failure
from tests.arrays import an_npz
from tests.people import a_done_run, a_measured_accuracy, a_profile, a_queued_run, a_ready_version
from tests.runner.classifiers import echo, one_hot
from tests.test_articles_hour import an_hour_measured

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("in_a_hurry")]
CLASSES = np.arange(40) % 3
X = [{"name": "x", "dtype": "float32", "shape": ["n", 3]}]
SCORES = [{"name": "scores", "dtype": "float32", "shape": ["n", 3]}]
RIGHT = EvaluationResult(40, 38, 0, "scores", "scores", 3, 32, 0, 0.1)


def a_classifier(batch="n", **fields):
    inputs = [{**X[0], "shape": [batch, 3]}]
    content = echo(batch).SerializeToString()
    return a_ready_version(content=content, inputs=inputs, outputs=SCORES, **fields)


def a_set(version, labels=None, *, name="digits.npz", classes=CLASSES):
    labels = classes if labels is None else labels
    content = an_npz(x=one_hot(classes), labels=labels)
    return receive_input_set(version.onnx_model, [received_from_bytes(content, name)])


def asked(version, input_set, **settings):
    chosen = RunSettings(effort="quick", values=input_set, measures_accuracy=True, **settings)
    owner = version.onnx_model.owner
    return submit_run(owner=owner, version=version, profile=a_profile(owner), settings=chosen)


def ended(run):
    return Run.objects.with_results().get(pk=run.pk)


def test_a_run_measures_the_time_on_the_first_item_and_the_accuracy_on_all():
    labels = np.where(np.arange(40) < 2, (CLASSES + 1) % 3, CLASSES)
    version = a_classifier(accuracy_ratio=0.5)
    run = asked(version, a_set(version, labels))

    execution.execute(run.pk)

    run = ended(run)
    assert run.status == Run.Status.DONE, run.failure_message
    assert run.estimate.emission_g > 0
    assert run.measurement.inputs_used[0]["shape"] == [1, 3]
    found, expected = run.evaluation, proportion_of(38, 40)
    assert (found.correct_count, found.item_count) == (38, 40)
    assert found.accuracy_ratio == 0.95
    assert (found.ci95_low_ratio, found.ci95_high_ratio) == (expected.low, expected.high)
    assert (found.values_name, found.values_sha256) == ("digits", run.values_sha256)
    assert found.reading["output"] == "scores"
    version.refresh_from_db()
    assert version.evaluation == found
    assert (version.accuracy.ratio, version.accuracy_ratio) == (0.95, 0.5)


def test_a_model_with_a_fixed_batch_takes_a_set_that_it_could_not_be_fed_at_once():
    version = a_classifier(batch=1)
    run = asked(version, a_set(version))

    execution.execute(run.pk)

    assert ended(run).evaluation.accuracy_ratio == 1


def test_a_failed_evaluation_costs_no_result_and_says_why():
    version = a_classifier()
    run = asked(version, a_set(version, CLASSES + 5))

    execution.execute(run.pk)

    run = ended(run)
    assert run.status == Run.Status.DONE
    assert run.estimate.emission_g > 0
    assert run.measurement.composition["operators"]
    assert run.evaluation.failure_code == "bad_labels"
    assert "The label of item 1 is 5" in run.evaluation.failure_message
    assert ModelVersion.objects.get().evaluation is None


def test_an_evaluation_that_takes_too_long_costs_no_result(monkeypatch):
    # Over at the first look: between looks a quick child may end on its own.
    monkeypatch.setattr(job, "EVALUATING_WALL_S", 1e-6)
    version = a_classifier()
    run = asked(version, a_set(version))

    execution.execute(run.pk)

    run = ended(run)
    assert run.status == Run.Status.DONE
    assert (run.evaluation.failure_code, run.evaluation.accuracy_ratio) == ("out_of_time", None)


def begin_with(what, wanted="evaluate"):
    """A ticker's ``begin`` that does something as the pass ``wanted`` begins."""

    def begin(self, kind):
        self._later_phase = execution.PHASE_BY_KIND[kind]
        self._next_s = 0.0
        if kind == wanted:
            what()

    return begin


def test_a_worker_stopped_before_the_evaluation_keeps_the_result(monkeypatch):
    stop = begin_with(execution.worker_is_stopping.set)
    monkeypatch.setattr(execution._Ticker, "begin", stop)
    version = a_classifier()
    run = asked(version, a_set(version))

    execution.execute(run.pk)

    run = ended(run)
    assert run.status == Run.Status.DONE
    assert run.measurement.composition["operators"]
    assert run.evaluation.failure_code == "stopped"


def test_a_run_cancelled_while_it_is_evaluated_leaves_nothing(monkeypatch):
    version = a_classifier()
    run = asked(version, a_set(version))
    cancel = begin_with(lambda: Run.objects.cancel(run.pk))
    monkeypatch.setattr(execution._Ticker, "begin", cancel)

    execution.execute(run.pk)

    assert ended(run).status == Run.Status.CANCELLED
    assert not Evaluation.objects.exists()
    assert ModelVersion.objects.get().evaluation is None


def test_a_set_deleted_while_the_time_is_taken_costs_no_result(monkeypatch):
    version = a_classifier()
    input_set = a_set(version)
    run = asked(version, input_set)
    delete = begin_with(lambda: delete_input_set(input_set), wanted="profile")
    monkeypatch.setattr(execution._Ticker, "begin", delete)

    execution.execute(run.pk)

    run = ended(run)
    assert run.status == Run.Status.DONE
    assert run.evaluation.failure_code == "set_gone"


def test_a_child_that_answers_for_other_items_is_not_believed(monkeypatch):
    version = a_classifier()
    run = asked(version, a_set(version))
    really = execution.launch.run

    def lying(job, folder, **more):
        return really(job, folder, **more) if job.kind != "evaluate" else lie

    lie = EvaluationResult(10**9, 10**9, 0, "scores", "scores", 3, 32, 0, 0.1)
    monkeypatch.setattr(execution.launch, "run", lying)

    execution.execute(run.pk)

    assert ended(run).evaluation.failure_code == "nonsense_result"


def test_a_result_that_comes_too_late_changes_no_accuracy():
    version = a_classifier()
    run = a_queued_run(version)
    late = Run.objects.claim(run.pk, worker_name="slow")
    Run.objects.filter(pk=run.pk).update(status="queued", claim_token=None)
    Run.objects.claim(run.pk, worker_name="quick")

    stored = outcomes.record_result(run.pk, late, an_hour_measured(), evaluation=RIGHT)

    assert not stored
    assert ModelVersion.objects.get().evaluation is None


def test_the_newest_measured_accuracy_counts():
    version = a_classifier()
    first, second = a_measured_accuracy(version, 30, 40), a_measured_accuracy(version, 38, 40)

    version.refresh_from_db()

    assert version.accuracy.ratio == 0.95
    assert version.evaluation == second
    assert first.run.evaluation.accuracy_ratio == 0.75


def test_editing_a_version_leaves_what_was_measured():
    version = a_classifier()
    a_measured_accuracy(version, 38, 40)
    version.refresh_from_db()

    change_details(version, label="int8", accuracy_ratio=0.2, training_time_s=None)

    version.refresh_from_db()
    assert (version.accuracy_ratio, version.accuracy.ratio) == (0.2, 0.95)


def test_a_run_that_is_deleted_takes_its_accuracy_along():
    version = a_classifier(accuracy_ratio=0.2)
    a_measured_accuracy(version, 38, 40).run.delete()

    version.refresh_from_db()

    assert (version.evaluation, version.accuracy.ratio) == (None, 0.2)


def test_a_model_with_a_measured_accuracy_can_be_deleted():
    version = a_classifier()
    a_measured_accuracy(version, 38, 40)

    version.onnx_model.delete()

    assert not Evaluation.objects.exists()


@pytest.mark.parametrize(
    "values",
    [
        {"accuracy_ratio": None},
        {"accuracy_ratio": 0.5, "failure_code": "x", "failure_message": "y"},
        {"failure_code": "x", "failure_message": ""},
        {"accuracy_ratio": 1.5, "item_count": 2, "ci95_low_ratio": 0, "ci95_high_ratio": 1.5},
        {"accuracy_ratio": 0.5, "item_count": 0, "ci95_low_ratio": 0, "ci95_high_ratio": 1},
        {"accuracy_ratio": 0.5, "item_count": 2, "ci95_low_ratio": 0.6, "ci95_high_ratio": 1},
        {"accuracy_ratio": 0.5, "item_count": None, "ci95_low_ratio": 0, "ci95_high_ratio": 1},
        {"accuracy_ratio": 0.5, "item_count": 2, "ci95_low_ratio": None, "ci95_high_ratio": 1},
    ],
)
def test_the_database_refuses_an_accuracy_that_is_none(values):
    run = a_done_run()

    with pytest.raises(IntegrityError), transaction.atomic():
        Evaluation.objects.create(run=run, values_name="x", values_sha256="0" * 64, **values)


def test_the_same_is_asked_for_again():
    version = a_classifier()
    run = asked(version, a_set(version), answer_output="scores")

    again = submit_again(run, run.owner)

    assert (again.measures_accuracy, again.answer_output) == (True, "scores")


def refused(version, **settings):
    with pytest.raises(ValidationError) as refusal:
        submit_run(
            owner=version.onnx_model.owner,
            version=version,
            profile=a_profile(),
            settings=RunSettings(effort="quick", **settings),
        )
    return refusal.value.message_dict


def test_accuracy_needs_labels():
    version = a_classifier()
    content = an_npz(x=one_hot([0]))
    plain = receive_input_set(version.onnx_model, [received_from_bytes(content, "x.npz")])

    assert "measures_accuracy" in refused(version, measures_accuracy=True)
    assert "measures_accuracy" in refused(version, measures_accuracy=True, values=plain)


def test_what_does_not_fit_is_refused_before_it_is_queued():
    version = a_classifier()
    input_set = a_set(version)
    asks = {"values": input_set, "measures_accuracy": True}
    other = a_ready_version(onnx_model=version.onnx_model)

    assert "at most 40" in refused(version, batch_size=41, **asks)["batch_size"][0]
    assert "It has: scores" in refused(version, answer_output="y", **asks)["answer_output"][0]
    assert "answer_output" in refused(version, answer_output="scores", values=None)
    assert "values" in refused(other, **asks)


def test_a_set_with_as_many_labels_as_nothing_else_is_refused_at_the_door():
    version = a_classifier(batch=1)

    with pytest.raises(ValidationError) as refusal:
        a_set(version, CLASSES[:-1])

    assert "“labels” 39" in refusal.value.message_dict["file"][0]
    assert not InputSet.objects.exists()


def test_real_inputs_with_labels_are_still_fed_whole_where_no_accuracy_is_asked_for():
    version = a_classifier()
    settings = RunSettings(effort="quick", batch_size=40, values=a_set(version))

    run = submit_run(
        owner=version.onnx_model.owner, version=version, profile=a_profile(), settings=settings
    )

    assert (run.batch_size, run.measures_accuracy) == (40, False)


def test_a_failure_is_recorded_as_one():
    run = a_queued_run(a_classifier(), values_name="digits", values_sha256="0" * 64)
    token = Run.objects.claim(run.pk, worker_name="test")

    outcomes.record_result(
        run.pk, token, an_hour_measured(), evaluation=Failure("crashed", "It crashed.")
    )

    assert ended(run).evaluation.failure_message == "It crashed."
    assert ended(run).status == Run.Status.DONE

"""What somebody sees first: latest runs, the one next step, the queue, a result to look at."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db.models import Count, Exists, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from benchmarks.history import Change, HistorySeries, in_series, points_of
from benchmarks.models import ModelVersion, OnnxModel, Run, Sweep
from benchmarks.querysets import CONTENTS, CONTENTS_OF_VERSION
from hardware.models import HardwareProfile

CARD_COUNT = 6
SWEEP_COUNT = 3
# How many runs of each model are looked at for a trend, and how many of one line it draws.
TREND_DEPTH = 40
TREND_LENGTH = 12
# Rows of the page are never this wide: a run's samples, layers and tensors stay in the database.
HEAVY_COLUMNS = (
    "measurement__samples_s",
    "measurement__as_measured",
    "measurement__composition",
    "measurement__inputs_used",
    "measurement__outputs_seen",
)


@dataclass(frozen=True, slots=True)
class RunCard:
    """A run with its change since the last comparable one and the grams before it."""

    run: Run
    change: Change | None = None
    trend_g: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelRow:
    """A model with its newest grams (as a card) and its counts; ``card`` is None without a run."""

    onnx_model: OnnxModel
    card: RunCard | None


@dataclass(frozen=True, slots=True)
class NextStep:
    """The one thing to do next; ``kind`` is profile, model, run, wait, replace or follow."""

    kind: str
    version: ModelVersion | None = None


@dataclass(frozen=True, slots=True)
class QueueStatus:
    """How busy the measuring machine is."""

    queued_count: int
    measuring_count: int
    own_count: int


def latest_run_cards(user) -> list[RunCard]:
    """Return the newest runs that ``user`` asked for, whatever became of them, as cards."""
    runs = list(
        Run.objects.editable_by(user)
        .apart()
        .with_results()
        .defer(*HEAVY_COLUMNS)
        .order_by("-queued_at", "-id")[:CARD_COUNT]
    )
    return _cards(runs, _trends({run.version.onnx_model_id for run in runs}))


def latest_sweeps(user):
    """Return the newest sweeps that ``user`` asked for, with counts of their runs."""
    mine = Sweep.objects.editable_by(user).select_related("version__onnx_model")
    mine = mine.defer(*CONTENTS_OF_VERSION)
    return mine.with_counts().order_by("-created_at", "-id")[:SWEEP_COUNT]


def showcase_card() -> RunCard | None:
    """Return the newest finished run of a public model: the example a visitor sees."""
    run = (
        Run.objects.done()
        .apart()
        .filter(version__onnx_model__visibility=OnnxModel.Visibility.PUBLIC)
        .with_results()
        .defer(*HEAVY_COLUMNS)
        .order_by("-finished_at", "-id")
        .first()
    )
    if run is None:
        return None
    return _cards([run], _trends({run.version.onnx_model_id}))[0]


def with_summary(onnx_models):
    """Each model with ``version_count``, its newest finished run and that run's grams."""
    headline = {"estimates__is_headline": True}
    return (
        onnx_models.select_related("owner")
        .defer("saved_inputs")
        .annotate(
            version_count=Count("versions", distinct=True),
            newest_run_id=_of_newest_run("pk"),
            newest_run_at=_of_newest_run("finished_at"),
            newest_emission_g=_of_newest_run("estimates__emission_g", **headline),
        )
    )


def _of_newest_run(column: str, **conditions) -> Coalesce:
    """A column of a model's newest finished run.

    One setting among many of a sweep speaks for the model only where nothing else does.
    """
    newest = Run.objects.filter(onnx_model=OuterRef("pk"), **conditions)
    newest = newest.order_by("-finished_at", "-id")
    return Coalesce(
        Subquery(newest.apart().values(column)[:1]), Subquery(newest.values(column)[:1])
    )


def model_rows(onnx_models: Sequence[OnnxModel]) -> list[ModelRow]:
    """Return the models, fetched ``with_summary``, each with its newest result and its trend."""
    runs = (
        Run.objects.filter(pk__in=[one.newest_run_id for one in onnx_models if one.newest_run_id])
        .with_results()
        .defer(*HEAVY_COLUMNS)
    )
    cards = _cards(list(runs), _trends({one.pk for one in onnx_models}))
    card_by_run = {card.run.pk: card for card in cards}
    return [ModelRow(one, card_by_run.get(one.newest_run_id)) for one in onnx_models]


def next_step(user) -> NextStep:
    """Return the one thing that brings ``user`` on."""
    if not HardwareProfile.objects.editable_by(user).exists():
        return NextStep("profile")
    versions = ModelVersion.objects.editable_by(user).select_related("onnx_model").defer(*CONTENTS)
    newest = versions.order_by("-created_at", "-id").first()
    if newest is None:
        return NextStep("model")
    if newest.status == ModelVersion.Status.INSPECTING:
        return NextStep("wait", newest)
    is_run = Exists(Run.objects.filter(version=OuterRef("pk")))
    never_run = versions.filter(~is_run, status=ModelVersion.Status.READY)
    unmeasured = never_run.order_by("-created_at", "-id").first()
    if unmeasured is not None:
        return NextStep("run", unmeasured)
    if newest.status == ModelVersion.Status.REJECTED:
        return NextStep("replace", newest)
    return NextStep("follow", newest)


def queue_status(user) -> QueueStatus:
    """Return how many runs wait and how many are under way, and how many of them are one's own."""
    is_queued, is_measured = Q(status=Run.Status.QUEUED), Q(status=Run.Status.MEASURING)
    counts = Run.objects.filter(is_queued | is_measured).aggregate(
        queued_count=Count("pk", filter=is_queued),
        measuring_count=Count("pk", filter=is_measured),
        own_count=Count("pk", filter=Q(owner_id=user.pk)),
    )
    return QueueStatus(**counts)


def _trends(model_ids: Collection) -> tuple[HistorySeries, ...]:
    """Return the newest few points of each model, so that none crowds out another."""
    newest = Run.objects.apart().filter(onnx_model=OuterRef("pk")).order_by("-finished_at", "-id")
    last = Subquery(newest.values("finished_at")[TREND_DEPTH - 1 : TREND_DEPTH])
    since_by_model = OnnxModel.objects.filter(pk__in=model_ids).values_list("pk", last)
    is_recent = Q(pk__in=[])
    for pk, since in since_by_model:
        is_recent |= Q(onnx_model=pk) & (Q(finished_at__gte=since) if since else Q())
    return in_series(
        points_of(Run.objects.apart().filter(is_recent), limit=TREND_DEPTH * len(model_ids))
    )


def _cards(runs: Sequence[Run], trends: Sequence[HistorySeries]) -> list[RunCard]:
    place_by_run = {
        point.run_id: (series, index)
        for series in trends
        for index, point in enumerate(series.points)
    }
    return [_card(run, place_by_run.get(str(run.pk))) for run in runs]


def _card(run: Run, place: tuple | None) -> RunCard:
    if place is None:
        return RunCard(run)
    series, index = place
    points = series.points[: index + 1]
    return RunCard(
        run=run,
        change=Change(points[-2], points[-1]) if len(points) > 1 else None,
        trend_g=tuple(point.emission_g for point in points[-TREND_LENGTH:]),
    )

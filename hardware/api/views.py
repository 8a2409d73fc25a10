"""The API of reference tables (read only) and of people's profiles."""

from django.db.models import Prefetch
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.generics import (
    GenericAPIView,
    ListAPIView,
    ListCreateAPIView,
    RetrieveAPIView,
    RetrieveUpdateDestroyAPIView,
)
from rest_framework.permissions import SAFE_METHODS
from rest_framework.response import Response

from hardware.api.filters import (
    KnownOrdering,
    NameSearch,
    ProcessorFilter,
    ProfileFilter,
    TableSearch,
    ZoneFilter,
)
from hardware.api.serializers import (
    EmbodiedFigureSerializer,
    EquivalenceSerializer,
    MatchesSerializer,
    ProcessorSerializer,
    ProfileSerializer,
    PueFigureSerializer,
    RamModelSerializer,
    ZoneDetailSerializer,
    ZoneSerializer,
)
from hardware.matching import MAX_NAME_LENGTH, match_processors
from hardware.models import (
    CarbonIntensity,
    EmbodiedFigure,
    Equivalence,
    HardwareProfile,
    Processor,
    PueFigure,
    RamModel,
    Zone,
)
from hardware.querysets import NEWEST_FIRST

# Who a row's last change is by.
EDITORS = ("edited_by", "loaded_by")
LAPTOP = OpenApiExample(
    "The article's laptop",
    value={"name": "Laptop", "zone": "IND", "cpu_tdp_w": 13, "ram_gb": 8},
    request_only=True,
)


class Zones(ListAPIView):
    """Countries, parts of countries, cloud regions and the world."""

    queryset = Zone.objects.with_latest()
    serializer_class = ZoneSerializer
    filter_backends = [DjangoFilterBackend, TableSearch, KnownOrdering]
    filterset_class = ZoneFilter
    ordering_fields = ["name", "code", "kind"]


class ZoneDetail(RetrieveAPIView):
    """One zone with its carbon intensities, newest first."""

    queryset = Zone.objects.with_latest().prefetch_related(
        Prefetch(
            "intensities",
            CarbonIntensity.objects.select_related(*EDITORS).order_by(*NEWEST_FIRST),
        )
    )
    serializer_class = ZoneDetailSerializer
    lookup_field = "code"


class Processors(ListAPIView):
    """CPUs and GPUs with their rated power; a search gives the best match first."""

    queryset = Processor.objects.select_related(*EDITORS).order_by("vendor", "name", "pk")
    serializer_class = ProcessorSerializer
    filter_backends = [DjangoFilterBackend, TableSearch, KnownOrdering]
    filterset_class = ProcessorFilter
    ordering_fields = ["name", "vendor", "tdp_w", "year"]


class ProcessorDetail(RetrieveAPIView):
    """One CPU or GPU."""

    queryset = Processor.objects.select_related(*EDITORS)
    serializer_class = ProcessorSerializer


class ProcessorMatch(GenericAPIView):
    """Which rows a raw processor name, as a machine reports it, may mean."""

    queryset = Processor.objects.select_related(*EDITORS)
    serializer_class = MatchesSerializer
    pagination_class = None

    @extend_schema(
        operation_id="processors_match",
        responses=MatchesSerializer,
        parameters=[
            OpenApiParameter(
                "name",
                required=True,
                description="For instance “AMD EPYC 9B14 96-Core Processor”.",
            )
        ],
    )
    def get(self, request):
        """Answer with the rows that honestly match, best first; often none."""
        raw_name = request.query_params.get("name", "").strip()
        if not raw_name or len(raw_name) > MAX_NAME_LENGTH:
            raise ValidationError(
                {"name": f"Give the processor's name, of 1 to {MAX_NAME_LENGTH} characters."}
            )
        matches = match_processors(self.get_queryset(), raw_name)
        return Response(self.get_serializer({"results": matches}).data)


class SmallTable(ListAPIView):
    """A short reference table, read only."""

    filter_backends = [DjangoFilterBackend, TableSearch, KnownOrdering]


class RamModels(SmallTable):
    """Published ways to tell the power of memory."""

    queryset = RamModel.objects.select_related(*EDITORS).order_by("name")
    serializer_class = RamModelSerializer
    filterset_fields = ["kind"]
    ordering_fields = ["name", "kind", "w_per_gb"]


class PueFigures(SmallTable):
    """Power usage effectiveness by provider and region."""

    queryset = PueFigure.objects.select_related(*EDITORS).order_by("provider", "region")
    serializer_class = PueFigureSerializer
    filterset_fields = ["provider", "region"]
    ordering_fields = ["provider", "region", "pue", "year"]


class EmbodiedFigures(SmallTable):
    """What making machines and their parts has emitted."""

    queryset = EmbodiedFigure.objects.select_related(*EDITORS).order_by("kind", "name")
    serializer_class = EmbodiedFigureSerializer
    filterset_fields = ["kind"]
    ordering_fields = ["name", "kind", "kg_co2e"]


class Equivalences(SmallTable):
    """What everyday acts emit."""

    queryset = Equivalence.objects.select_related(*EDITORS).order_by("emission_g")
    serializer_class = EquivalenceSerializer
    filterset_fields: list[str] = []
    ordering_fields = ["singular", "emission_g"]


class Profiles(ListCreateAPIView):
    """Machines as people describe them: the public ones and your own."""

    queryset = HardwareProfile.objects.all()
    serializer_class = ProfileSerializer
    filter_backends = [DjangoFilterBackend, NameSearch, KnownOrdering]
    filterset_class = ProfileFilter
    search_field = "name"
    ordering_fields = ["name", "created_at", "updated_at"]

    def get_queryset(self):
        """Profiles that the user may see."""
        return super().get_queryset().visible_to(self.request.user).with_factors()

    @extend_schema(examples=[LAPTOP])
    def post(self, request, *args, **kwargs):
        """Describe a machine; what it draws comes back."""
        return super().post(request, *args, **kwargs)


class ProfileDetail(RetrieveUpdateDestroyAPIView):
    """One machine; only its owner may change it."""

    queryset = HardwareProfile.objects.all()
    serializer_class = ProfileSerializer
    http_method_names = ["get", "patch", "delete", "head", "options"]

    def get_queryset(self):
        """Profiles that the user may see, or may change."""
        profiles = super().get_queryset().with_factors()
        if self.request.method in SAFE_METHODS:
            return profiles.visible_to(self.request.user)
        return profiles.editable_by(self.request.user)

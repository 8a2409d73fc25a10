"""The JSON of zones, processors and profiles: text to typed values, and back."""

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

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
from hardware.profile_rules import save_profile


class LastChangeSerializer(serializers.Serializer):
    """How, when and by whom a row got its figure."""

    how = serializers.ChoiceField(choices=("edited", "loaded"))
    at = serializers.DateTimeField()
    by = serializers.CharField(source="by.username", allow_null=True, default=None)


class ReferenceRowSerializer(serializers.ModelSerializer):
    """A row of a reference table; its ``last_change`` is null where the site ships it so."""

    last_change = LastChangeSerializer(source="last_changed", allow_null=True, read_only=True)


class IntensitySerializer(ReferenceRowSerializer):
    """Grams of CO2 equivalent per kWh of one year, with the way of counting and the source."""

    class Meta:
        model = CarbonIntensity
        fields = ["id", "year", "g_per_kwh", "source", "measure", "vintage", "last_change"]
        read_only_fields = fields


class LatestIntensitySerializer(serializers.Serializer):
    year = serializers.IntegerField(source="latest_year")
    g_per_kwh = serializers.FloatField(source="latest_g_per_kwh")
    source = serializers.CharField(source="latest_source")
    measure = serializers.ChoiceField(choices=CarbonIntensity.Measure, source="latest_measure")


class ZoneSerializer(serializers.ModelSerializer):
    """A place; ``latest`` is null where no figure is known."""

    parent = serializers.CharField(source="parent_id", allow_null=True, read_only=True)
    latest = serializers.SerializerMethodField()

    class Meta:
        model = Zone
        fields = ["code", "name", "kind", "parent", "latest"]
        read_only_fields = fields

    @extend_schema_field(LatestIntensitySerializer(allow_null=True))
    def get_latest(self, zone):
        """Return the newest figure of ``zone``, or None."""
        if zone.latest_year is None:
            return None
        return LatestIntensitySerializer(zone).data


class ZoneDetailSerializer(ZoneSerializer):
    """A place with all its figures, newest first."""

    intensities = IntensitySerializer(many=True, read_only=True)

    class Meta(ZoneSerializer.Meta):
        fields = [*ZoneSerializer.Meta.fields, "intensities"]
        read_only_fields = fields


class ProcessorSerializer(ReferenceRowSerializer):
    class Meta:
        model = Processor
        fields = [
            "id",
            "kind",
            "vendor",
            "name",
            "tdp_w",
            "source",
            "vintage",
            "last_change",
            "core_count",
            "memory_gb",
            "year",
        ]
        read_only_fields = fields


ORIGIN_FIELDS = ["year", "source", "vintage", "last_change"]


class RamModelSerializer(ReferenceRowSerializer):
    """A published way to tell the power of memory; which figures it has depends on its kind."""

    class Meta:
        model = RamModel
        fields = ["key", "name", "kind", "w_per_gb", "w_per_module", "module_gb", *ORIGIN_FIELDS]
        read_only_fields = fields


class PueFigureSerializer(ReferenceRowSerializer):
    """A provider's power usage effectiveness; an empty region means all of them."""

    class Meta:
        model = PueFigure
        fields = ["id", "provider", "region", "pue", *ORIGIN_FIELDS]
        read_only_fields = fields


class EmbodiedFigureSerializer(ReferenceRowSerializer):
    """What making a machine, or a part of one, has emitted, in kilograms of CO2 equivalent."""

    class Meta:
        model = EmbodiedFigure
        fields = ["key", "name", "kind", "per", "kg_co2e", "lifetime_years", *ORIGIN_FIELDS]
        read_only_fields = fields


class EquivalenceSerializer(ReferenceRowSerializer):
    """What one of an everyday act emits, in grams of CO2 equivalent."""

    class Meta:
        model = Equivalence
        fields = ["key", "singular", "plural", "emission_g", *ORIGIN_FIELDS]
        read_only_fields = fields


class MatchSerializer(serializers.Serializer):
    """A row that a raw processor name may mean, and why."""

    processor = ProcessorSerializer()
    is_exact = serializers.BooleanField()
    reason = serializers.CharField()


class MatchesSerializer(serializers.Serializer):
    results = MatchSerializer(many=True)


class PowerSerializer(serializers.Serializer):
    """Rated power of each component, in watts."""

    cpu_w = serializers.FloatField()
    ram_w = serializers.FloatField()
    gpu_w = serializers.FloatField()
    total_w = serializers.FloatField()


class ProcessorIdField(serializers.PrimaryKeyRelatedField):
    """The id of a row of the processor table."""

    default_error_messages = {"does_not_exist": "No processor has the id “{pk_value}”."}

    def __init__(self, **kwargs):
        super().__init__(
            queryset=Processor.objects.all(),
            pk_field=serializers.UUIDField(),
            required=False,
            allow_null=True,
            **kwargs,
        )


class PueFigureIdField(serializers.PrimaryKeyRelatedField):
    """The id of a row of the PUE table; alone it brings its PUE, with ``pue`` it has to agree."""

    default_error_messages = {"does_not_exist": "No PUE figure has the id “{pk_value}”."}

    def __init__(self, **kwargs):
        super().__init__(
            queryset=PueFigure.objects.all(),
            pk_field=serializers.UUIDField(),
            required=False,
            allow_null=True,
            **kwargs,
        )


class EmbodiedFigureKeyField(serializers.PrimaryKeyRelatedField):
    """The key of a machine in the table of embodied emissions; alone it brings its figures."""

    default_error_messages = {"does_not_exist": "No machine has the key “{pk_value}”."}

    def __init__(self, **kwargs):
        super().__init__(
            queryset=EmbodiedFigure.objects.filter(kind=EmbodiedFigure.Kind.MACHINE),
            pk_field=serializers.CharField(max_length=60),
            required=False,
            allow_null=True,
            **kwargs,
        )


class ZoneCodeField(serializers.PrimaryKeyRelatedField):
    """The code of a zone, such as IND, US-CA or gcp:europe-west1."""

    default_error_messages = {
        "does_not_exist": "No zone has the code “{pk_value}”. GET /zones/?search= finds codes."
    }

    def __init__(self, **kwargs):
        super().__init__(
            queryset=Zone.objects.all(), pk_field=serializers.CharField(max_length=40), **kwargs
        )


# Left out, it would count as none without anybody having said so.
RAM_WANTED = "Say how much RAM the machine has, in GB: 0 leaves it out of the account."


class ProfileSerializer(serializers.ModelSerializer):
    """A machine; a null power is taken from the processor's row or from the RAM rule."""

    zone = ZoneCodeField()
    cpu = ProcessorIdField()
    gpu = ProcessorIdField()
    pue_figure = PueFigureIdField()
    embodied_figure = EmbodiedFigureKeyField()
    power = serializers.SerializerMethodField()

    class Meta:
        model = HardwareProfile
        fields = [
            "id",
            "name",
            "zone",
            "pue",
            "pue_figure",
            "cpu",
            "cpu_name",
            "cpu_tdp_w",
            "cpu_count",
            "ram_gb",
            "ram_power_w",
            "gpu",
            "gpu_name",
            "gpu_tdp_w",
            "gpu_count",
            "embodied_figure",
            "embodied_kg_co2e",
            "lifetime_years",
            "visibility",
            "power",
        ]
        read_only_fields = ["id", "power"]

    @extend_schema_field(PowerSerializer)
    def get_power(self, profile):
        """Return what each component of ``profile`` draws, and all together."""
        return {
            "cpu_w": profile.cpu_power_w,
            "ram_w": profile.memory_power_w,
            "gpu_w": profile.gpu_power_w,
            "total_w": profile.total_power_w,
        }

    def create(self, validated_data):
        """Store a new profile of the user who asks."""
        if "ram_gb" not in validated_data and validated_data.get("ram_power_w") is None:
            raise serializers.ValidationError({"ram_gb": RAM_WANTED})
        profile = HardwareProfile(owner=self.context["request"].user)
        return self.update(profile, validated_data)

    def update(self, instance, validated_data):
        """Store what was changed."""
        for name, value in validated_data.items():
            setattr(instance, name, value)
        _take_pue(instance, validated_data)
        _take_embodied(instance, validated_data)
        return save_profile(instance)


def _take_pue(profile: HardwareProfile, asked: dict) -> None:
    figure = asked.get("pue_figure")
    if figure is not None and "pue" not in asked:
        profile.pue = figure.pue
    elif "pue" in asked and "pue_figure" not in asked:
        # A PUE that is typed is no longer the row's.
        profile.pue_figure = None


def _take_embodied(profile: HardwareProfile, asked: dict) -> None:
    figure = asked.get("embodied_figure")
    if figure is not None:
        profile.embodied_kg_co2e = asked.get("embodied_kg_co2e", figure.kg_co2e)
        profile.lifetime_years = asked.get("lifetime_years", figure.lifetime_years)
    elif "embodied_kg_co2e" in asked and "embodied_figure" not in asked:
        profile.embodied_figure = None

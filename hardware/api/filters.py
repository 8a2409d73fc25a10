"""How a list of the API is narrowed and ordered: by ``?search=``, ``?ordering=`` and by field."""

import django_filters
from rest_framework.exceptions import ValidationError
from rest_framework.filters import BaseFilterBackend, OrderingFilter

from hardware.models import HardwareProfile, Processor, Zone
from hardware.querysets import plain_search_text


class TableSearch(BaseFilterBackend):
    """``?search=`` by the queryset's own ``search``, best match first."""

    def filter_queryset(self, request, queryset, view):
        text = request.query_params.get("search", "").strip()
        return self.matching(queryset, text, view) if text else queryset

    def matching(self, queryset, text, view):
        """Return the rows that match ``text``."""
        return queryset.search(text)

    def get_schema_operation_parameters(self, view):
        """Document the parameter."""
        return [
            {
                "name": "search",
                "required": False,
                "in": "query",
                "description": "Words that must all occur in the name.",
                "schema": {"type": "string"},
            }
        ]


class NameSearch(TableSearch):
    """``?search=``: every word occurs in the view's ``search_field``."""

    def matching(self, queryset, text, view):
        """Return the rows whose name holds every word of ``text``."""
        for word in plain_search_text(text).split():
            queryset = queryset.filter(**{f"{view.search_field}__icontains": word})
        return queryset


class KnownOrdering(OrderingFilter):
    """``?ordering=`` by the fields that the view allows; an unknown one is refused."""

    def remove_invalid_fields(self, queryset, fields, view, request):
        """Return ``fields`` as they are, and the key behind them so that pages never overlap."""
        allowed = view.ordering_fields
        unknown = [name for name in fields if name.removeprefix("-") not in allowed]
        if unknown:
            raise ValidationError(
                {"ordering": f"Order by {', '.join(allowed)}, with a “-” in front to turn it."}
            )
        return [*fields, "pk"]

    def get_schema_operation_parameters(self, view):
        """Document the parameter with the values it takes."""
        names = [sign + name for name in view.ordering_fields for sign in ("", "-")]
        return [
            {
                "name": "ordering",
                "required": False,
                "in": "query",
                "description": "The field to order by; “-” in front turns the order.",
                "schema": {"type": "string", "enum": names},
            }
        ]


class ZoneFilter(django_filters.FilterSet):
    class Meta:
        model = Zone
        fields = ["kind", "parent"]


class ProcessorFilter(django_filters.FilterSet):
    vendor = django_filters.CharFilter(lookup_expr="iexact")

    class Meta:
        model = Processor
        fields = ["kind", "vendor"]


class ProfileFilter(django_filters.FilterSet):
    class Meta:
        model = HardwareProfile
        fields = ["name", "zone", "visibility"]

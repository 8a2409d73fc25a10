"""The API assembled: version 1 with the parts of each app, its schema, and its page for people."""

from django.http import Http404
from django.urls import include, path, re_path
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.views import APIView

COLLECTIONS = (
    "me",
    "zones",
    "processors",
    "ram-models",
    "pue",
    "embodied",
    "equivalences",
    "profiles",
    "models",
    "runs",
    "sweeps",
    "tokens",
    "schema",
)


class RootSerializer(serializers.Serializer):
    """The addresses of the collections."""

    def get_fields(self):
        return {name: serializers.URLField() for name in COLLECTIONS}


class Root(APIView):
    """Where the API begins."""

    @extend_schema(operation_id="root", responses=RootSerializer)
    def get(self, request):
        """Answer with the names of the collections and their addresses."""
        return Response({name: reverse(f"api-{name}", request=request) for name in COLLECTIONS})


class Nowhere(APIView):
    """Every address below ``/api/`` that is none, whatever the method."""

    schema = None

    def initial(self, request, *args, **kwargs):
        """Answer that there is nothing here, before asking who wants to know."""
        raise Http404


class ApiPage(SpectacularSwaggerSplitView):
    """The schema as a page on which calls can be tried."""

    template_name = "api/docs.html"


urlpatterns = [
    path("v1/", Root.as_view(), name="api-root"),
    path("v1/schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path("v1/", include("accounts.api")),
    path("v1/", include("hardware.api.urls")),
    path("v1/", include("benchmarks.api.urls")),
    path("docs/", ApiPage.as_view(url_name="api-schema"), name="api-docs"),
    re_path(r"^.*$", Nowhere.as_view(), name="api-nowhere"),
]

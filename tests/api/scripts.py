"""The clients that tests speak to the API with, as scripts do: by token, over plain HTTP."""

from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from accounts.models import ApiToken

BASE = "/api/v1"


def script_of(user=None, *, scope=ApiToken.Scope.WRITE) -> APIClient:
    """A client with a token of ``user``'s, or with none."""
    client = APIClient()
    if user is not None and user.is_authenticated:
        _, secret = ApiToken.objects.issue(owner=user, name="script", scope=scope)
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    return client


def an_onnx_file(content=b"not really a model", name="model.onnx"):
    return SimpleUploadedFile(name, content, content_type="application/octet-stream")


def assert_problem(response, status) -> dict:
    """Check that ``response`` is a problem of that status, and return it."""
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    problem = response.json()
    assert set(problem) == {"type", "title", "status", "detail", "errors"}
    assert problem["status"] == status
    assert problem["detail"]
    assert all(set(error) == {"field", "message"} for error in problem["errors"])
    return problem

"""The files beside an .onnx file in which a model keeps its weights, and what they come to."""

import hashlib
from collections.abc import Iterable

from django.db import models


class DataFileQuerySet(models.QuerySet):
    def stored_bytes(self, user) -> int:
        """Return how much of their quota the data files of ``user`` use, in bytes.

        Versions with the same bytes share a file, which counts once.
        """
        files = self.filter(version__onnx_model__owner_id=user.pk).order_by()
        total = files.values("file", "size_bytes").distinct()
        return total.aggregate(total=models.Sum("size_bytes"))["total"] or 0


class DataFile(models.Model):
    """One file of a version's weights; ``name`` is that under which it came, and is found."""

    version = models.ForeignKey(
        "benchmarks.ModelVersion", on_delete=models.CASCADE, related_name="data_files"
    )
    name = models.CharField(max_length=255)
    file = models.FileField(max_length=255)
    sha256 = models.CharField(max_length=64)
    size_bytes = models.PositiveBigIntegerField()

    objects = DataFileQuerySet.as_manager()

    class Meta:
        app_label = "benchmarks"
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["version", "name"], name="one_data_file_per_name")
        ]

    def __str__(self):
        return self.name


class WithDataFiles(models.Model):
    """What a version knows of its data files; nothing and 0 where the .onnx file is all."""

    data_sha256 = models.CharField(max_length=64, blank=True)
    data_bytes = models.PositiveBigIntegerField(default=0)

    class Meta:
        abstract = True

    @property
    def whole_bytes(self) -> int:
        """The size of the .onnx file and of its data files together."""
        return self.size_bytes + self.data_bytes

    @property
    def content_sha256(self) -> str:
        """One hash for all that makes the model: two versions with the same are the same."""
        if not self.data_sha256:
            return self.sha256
        return hashlib.sha256(f"{self.sha256} {self.data_sha256}".encode()).hexdigest()

    def own_data_files(self) -> list[DataFile]:
        """Return its data files by name, without asking the database where there are none."""
        return list(self.data_files.all()) if self.data_sha256 else []


def digest_of(files: Iterable[DataFile]) -> str:
    """Return one hash for names and contents of a version's data files; empty where none are."""
    lines = sorted(f"{one.sha256} {one.name}" for one in files)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest() if lines else ""

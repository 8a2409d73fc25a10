"""Arrays as files: what people send as real inputs."""

import io

import numpy as np
from django.core.files.uploadedfile import SimpleUploadedFile


def an_image(count=1, *, value=0.5):
    """A stack of images for LeNet-5."""
    return np.full((count, 1, 28, 28), value, dtype=np.float32)


def an_npz(**arrays) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def an_npy(array, *, allow_pickle=False) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=allow_pickle)
    return buffer.getvalue()


def an_upload(content, name):
    return SimpleUploadedFile(name, content, content_type="application/octet-stream")

"""What a machine is, and what its electricity costs in carbon."""

from django.apps import AppConfig


class HardwareConfig(AppConfig):
    name = "hardware"

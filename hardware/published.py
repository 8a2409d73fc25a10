"""The smaller tables as the values that footprint's functions take."""

from footprint import equivalents, ram
from footprint.equivalents import Equivalent
from hardware.models import Equivalence, RamModel


def published_ram_models() -> tuple[ram.RamModel, ...]:
    """Return the RAM models of the table, the stated rule first.

    Before the tables are loaded these are the models as this version of the site ships them.
    """
    by_key = {row.key: row for row in RamModel.objects.all()}
    shipped = [model.key for model in ram.RAM_MODELS if model.key in by_key]
    keys = [*shipped, *(key for key in by_key if key not in shipped)]
    return tuple(as_ram_model(by_key[key]) for key in keys) or ram.RAM_MODELS


def as_ram_model(row: RamModel) -> ram.RamModel:
    """Return ``row`` with the function that tells watts from GB."""
    if row.kind == RamModel.Kind.LINEAR:
        power_w = ram.linear(row.w_per_gb)
    elif row.kind == RamModel.Kind.PER_MODULE:
        power_w = ram.per_module(
            w_per_module=row.w_per_module, w_per_gb=row.w_per_gb, module_gb=row.module_gb
        )
    else:
        power_w = ram.tiered(row.w_per_module)
    return ram.RamModel(row.key, row.name, row.source, power_w)


def published_equivalents(*keys: str) -> list[Equivalent]:
    """Return the everyday acts with these ``keys``, in that order, from the table.

    An act that the table lacks, as before it is loaded, is this version's shipped one.
    """
    shipped = {one.key: one for one in equivalents.EQUIVALENTS}
    stored = {row.key: as_equivalent(row) for row in Equivalence.objects.filter(key__in=keys)}
    known = shipped | stored
    return [known[key] for key in keys if key in known]


def as_equivalent(row: Equivalence) -> Equivalent:
    """Return ``row`` as footprint compares with it."""
    return Equivalent(row.key, row.singular, row.plural, row.emission_g, row.source)

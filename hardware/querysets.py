"""The questions put to the hardware tables: who may see what, and which figure is in force."""

import functools
import operator
import unicodedata

from django.db import models
from django.db.models import Case, F, IntegerField, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Concat, Length

from accounts.querysets import SharedQuerySet

WORLD_CODE = "WORLD"
# Beyond these a search is a mistake or an attack: the rest is left unread.
SEARCH_CHARACTER_LIMIT = 100
SEARCH_WORD_LIMIT = 8


def plain_search_text(text: str) -> str:
    """Return ``text`` as the tables spell it: no accents, single spaces, no control characters.

    >>> plain_search_text(" Côte   d'Ivoire ")
    "Cote d'Ivoire"
    """
    decomposed = unicodedata.normalize("NFKD", text[:SEARCH_CHARACTER_LIMIT])
    spoken = "".join(c for c in decomposed if c.isspace() or unicodedata.category(c)[0] not in "MC")
    return " ".join(spoken.split()[:SEARCH_WORD_LIMIT])


def _match_rank(*tiers: Q) -> Case:
    """Return 0 for rows of the first of ``tiers``, 1 for the second, and so on."""
    return Case(
        *(When(tier, then=Value(rank)) for rank, tier in enumerate(tiers)),
        default=Value(len(tiers)),
        output_field=IntegerField(),
    )


# Of one year's figures the most complete way of counting, not the first in the alphabet.
NEWEST_FIRST = (
    F("year").desc(),
    _match_rank(Q(measure="life_cycle"), Q(measure="operational")),
)


class ZoneQuerySet(models.QuerySet):
    def search(self, text):
        """Zones whose name, code or country holds every word of ``text``, best match first.

        Exact before prefix before word; of equals, countries before their parts.
        """
        wanted = plain_search_text(text)
        zones = self
        for word in wanted.split():
            zones = zones.filter(
                Q(name__icontains=word) | Q(code__icontains=word) | Q(parent__name__icontains=word)
            )
        if not wanted:
            return zones
        return zones.annotate(
            match_rank=_match_rank(
                Q(name__iexact=wanted) | Q(code__iexact=wanted),
                Q(name__istartswith=wanted),
                Q(code__istartswith=wanted),
                Q(name__icontains=f" {wanted}") | Q(name__icontains=f"({wanted}"),
            ),
            kind_rank=_match_rank(Q(kind__in=["country", "world"]), Q(kind="subdivision")),
        ).order_by("match_rank", "kind_rank", "name", "code")

    def with_latest_id(self):
        """Each zone with the id of the newest figure it has, or None."""
        return self.annotate(latest_intensity_id=Subquery(self._newest().values("pk")[:1]))

    def with_latest(self):
        """Each zone with the newest figure it has: id, g/kWh, year and measure, or None."""
        newest = self._newest()
        return self.with_latest_id().annotate(
            latest_g_per_kwh=Subquery(newest.values("g_per_kwh")[:1]),
            latest_year=Subquery(newest.values("year")[:1]),
            latest_measure=Subquery(newest.values("measure")[:1]),
            latest_source=Subquery(newest.values("source")[:1]),
        )

    def _newest(self):
        intensities = self.model.intensities.rel.related_model.objects
        return intensities.filter(zone_id=OuterRef("pk")).order_by(*NEWEST_FIRST)


class CarbonIntensityQuerySet(models.QuerySet):
    def in_force(self, zone):
        """Return the newest figure of ``zone``, else the world's, else None.

        The caller sees a fallback by the row's zone being another than the one asked for.
        """
        for code in (zone.pk, WORLD_CODE):
            found = self.filter(zone_id=code).select_related("zone")
            row = found.order_by(*NEWEST_FIRST).first()
            if row is not None:
                return row
        return None


class ProcessorQuerySet(models.QuerySet):
    def with_full_name(self):
        """Each processor with ``full_name``: the vendor and the name, as people say it."""
        return self.annotate(full_name=Concat(F("vendor"), Value(" "), F("name")))

    def search(self, text):
        """Processors whose vendor and name hold every word of ``text``, best match first.

        Exact before prefix before word; of equals, the shorter name.
        """
        wanted = plain_search_text(text)
        processors = self.with_full_name()
        for word in wanted.split():
            processors = processors.filter(full_name__icontains=word)
        if not wanted:
            return processors
        return processors.annotate(
            match_rank=_match_rank(
                Q(name__iexact=wanted) | Q(full_name__iexact=wanted),
                Q(name__istartswith=wanted) | Q(full_name__istartswith=wanted),
                Q(full_name__icontains=f" {wanted}"),
            )
        ).order_by("match_rank", Length("name"), "name", "vendor")

    def named(self, text):
        """Processors called exactly ``text``, with or without their vendor, in any case."""
        wanted = plain_search_text(text)
        return self.with_full_name().filter(Q(name__iexact=wanted) | Q(full_name__iexact=wanted))


class SmallTableQuerySet(models.QuerySet):
    """A table of a few hundred rows at most; its model names the ``search_fields``."""

    def search(self, text):
        """Rows that hold every word of ``text`` in one of their search fields."""
        rows = self
        for word in plain_search_text(text).split():
            rows = rows.filter(
                functools.reduce(
                    operator.or_,
                    (Q(**{f"{name}__icontains": word}) for name in self.model.search_fields),
                )
            )
        return rows


class HardwareProfileQuerySet(SharedQuerySet):
    def with_factors(self):
        """Each profile with the rows that its power and intensity rest on."""
        return self.select_related("zone", "cpu", "gpu", "owner", "pue_figure", "embodied_figure")

    def mine_first(self, user):
        """The profiles with ``user``'s own on top, then by name."""
        return self.annotate(
            others_rank=_match_rank(Q(owner_id=user.pk) if user.pk else Q(pk__isnull=True))
        ).order_by("others_rank", "name", "id")

"""Programs with versioned terms, enrolments with consent, events with targets and answers."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from commonwatt.demand_response.choices import Choice, EventStatus, NegativeIntervals, OptSource, SignalType, TargetKind


class Program(models.Model):
    """A standing scheme that customers enrol in."""

    public_id = models.CharField(max_length=32, unique=True)
    name = models.CharField(_("name"), max_length=120, unique=True)
    description = models.TextField(_("description"), blank=True)
    currency = models.CharField(_("currency"), max_length=3)
    time_zone = models.CharField(_("time zone"), max_length=64)
    is_open = models.BooleanField(_("open for enrolment"), default=True)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class ProgramTerms(models.Model):
    """One version of a program's rules; versions are never edited, only followed by the next."""

    program = models.ForeignKey(Program, models.PROTECT, related_name="terms")
    version = models.PositiveIntegerField()
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    notice_minutes = models.PositiveIntegerField(_("notice in minutes"))
    shortest_minutes = models.PositiveIntegerField(_("shortest event in minutes"))
    longest_minutes = models.PositiveIntegerField(_("longest event in minutes"))
    events_per_day = models.PositiveIntegerField(_("events a day"))
    events_per_year = models.PositiveIntegerField(_("events a year"))
    baseline_rule = models.JSONField(help_text="baseline.rules.rule_to_dict of the rule in force.")
    price_micros_per_kwh = models.BigIntegerField(_("price per kWh"))
    credit_factor_ppm = models.PositiveIntegerField(default=1_000_000, help_text="Millionths: 1 000 000 pays the full price (S0-26).")
    negative_intervals = models.CharField(max_length=8, choices=NegativeIntervals, default=NegativeIntervals.FLOOR)
    data_wait_minutes = models.PositiveIntegerField(default=60, help_text="How long after the end to wait for readings before settling.")
    consent_text = models.TextField(_("what a participant agrees to"))
    coverage_days = models.PositiveIntegerField(
        _("days of readings looked at"), default=15, help_text=_("Before enrolling, readings of these latest days are counted.")
    )
    coverage_percent = models.PositiveIntegerField(
        _("share of readings needed"), default=80, help_text=_("Per cent of the intervals of those days.")
    )
    responding_share_ppm = models.PositiveIntegerField(
        default=50_000, help_text="Millionths of the baseline that must be delivered to count as having responded (5 %)."
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["program", "version"], name="terms_version_once_per_program"),
            models.CheckConstraint(condition=Q(price_micros_per_kwh__gte=0), name="terms_price_is_not_negative"),
            models.CheckConstraint(
                condition=Q(longest_minutes__gte=F("shortest_minutes"), shortest_minutes__gt=0),
                name="terms_lengths_make_sense",
            ),
            models.CheckConstraint(condition=Q(negative_intervals__in=NegativeIntervals.values), name="terms_negative_intervals_is_known"),
            models.CheckConstraint(condition=Q(coverage_days__gt=0, coverage_percent__lte=100), name="terms_coverage_makes_sense"),
            # Days are compared with days, and the shortest has 23 hours: a longer event would have none to be compared with.
            models.CheckConstraint(condition=Q(longest_minutes__lte=1380), name="terms_events_are_shorter_than_a_day"),
        ]


class Group(models.Model):
    """A named set of sites that events can be aimed at."""

    public_id = models.CharField(max_length=32, unique=True)
    name = models.CharField(_("name"), max_length=120, unique=True)
    sites = models.ManyToManyField("accounts.Site", related_name="+")


class Enrolment(models.Model):
    """A site's participation in a program, from the moment of consent until it leaves."""

    public_id = models.CharField(max_length=32, unique=True)
    program = models.ForeignKey(Program, models.PROTECT, related_name="enrolments")
    site = models.ForeignKey("accounts.Site", models.PROTECT, related_name="+")
    enrolled_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["program", "site"], condition=Q(ended_at__isnull=True), name="enrolment_one_current_per_site"),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True) | Q(ended_at__gte=F("enrolled_at")),
                name="enrolment_ends_after_start",
            ),
        ]


class Consent(models.Model):
    """What was agreed to, word for word, by whom and when."""

    enrolment = models.ForeignKey(Enrolment, models.PROTECT, related_name="consents")
    terms = models.ForeignKey(ProgramTerms, models.PROTECT, related_name="+")
    text = models.TextField()
    text_digest = models.CharField(max_length=64)
    given_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    given_by_name = models.CharField(max_length=254)
    given_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["enrolment", "terms"], name="consent_once_per_terms")]


class Event(models.Model):
    """One call within a program, to use less during [starts_at, ends_at)."""

    public_id = models.CharField(max_length=32, unique=True)
    program = models.ForeignKey(Program, models.PROTECT, related_name="events")
    terms = models.ForeignKey(ProgramTerms, models.PROTECT, related_name="+")
    status = models.CharField(max_length=16, choices=EventStatus, default=EventStatus.UPCOMING)
    modification_number = models.PositiveIntegerField(default=0)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    issued_at = models.DateTimeField()
    issued_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    is_test = models.BooleanField(default=False)
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    target_kw = models.FloatField(null=True, help_text="What the operator hopes for; shown, never priced.")
    cancelled_at = models.DateTimeField(null=True)
    cancel_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="event_ends_after_start"),
            models.CheckConstraint(condition=Q(status__in=EventStatus.values), name="event_status_is_known"),
            models.CheckConstraint(
                condition=Q(status="cancelled", cancelled_at__isnull=False) | (~Q(status="cancelled") & Q(cancelled_at__isnull=True)),
                name="event_cancelled_has_a_time",
            ),
        ]
        indexes = [
            models.Index(fields=["program", "starts_at"], name="event_by_program"),
            models.Index(fields=["starts_at"], condition=Q(status__in=["upcoming", "active"]), name="event_open_by_start"),
        ]


class EventSignal(models.Model):
    """What the event asks for, per interval: a level, a price or a limit."""

    event = models.ForeignKey(Event, models.CASCADE, related_name="signals")
    signal_type = models.CharField(max_length=32, choices=SignalType)
    intervals = models.JSONField(help_text='[{"start_s": 0, "length_s": 7200, "value": 1}], counted from the start of the event.')

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["event", "signal_type"], name="signal_type_once_per_event"),
            models.CheckConstraint(condition=Q(signal_type__in=SignalType.values), name="signal_type_is_known"),
        ]


class EventTarget(models.Model):
    """One of the aims of an event."""

    event = models.ForeignKey(Event, models.CASCADE, related_name="targets")
    kind = models.CharField(max_length=16, choices=TargetKind)
    group = models.ForeignKey(Group, models.PROTECT, null=True, related_name="+")
    site = models.ForeignKey("accounts.Site", models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="everyone", group__isnull=True, site__isnull=True)
                | Q(kind="group", group__isnull=False, site__isnull=True)
                | Q(kind="site", group__isnull=True, site__isnull=False),
                name="target_names_what_its_kind_says",
            ),
        ]


class Participant(models.Model):
    """A site that an event was sent to, and its answer so far; no answer means taking part.

    [from_at, until_at) is when the event holds the site: the event's own span, cut short by a cancellation (empty if that came
    before the start). Spans of one site never overlap: an exclusion constraint on PostgreSQL, triggers on SQLite (migration 0002).
    """

    event = models.ForeignKey(Event, models.CASCADE, related_name="participants")
    enrolment = models.ForeignKey(Enrolment, models.PROTECT, related_name="+")
    site = models.ForeignKey("accounts.Site", models.PROTECT, related_name="+")
    from_at = models.DateTimeField()
    until_at = models.DateTimeField()
    choice = models.CharField(max_length=8, choices=Choice, blank=True)
    chosen_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["event", "site"], name="participant_once_per_event"),
            models.CheckConstraint(condition=Q(until_at__gte=F("from_at")), name="participant_span_is_no_less_than_empty"),
            models.CheckConstraint(condition=Q(choice="") | Q(choice__in=Choice.values), name="participant_choice_is_known"),
            models.CheckConstraint(
                condition=Q(choice="", chosen_at__isnull=True) | (~Q(choice="") & Q(chosen_at__isnull=False)),
                name="participant_choice_has_a_time",
            ),
        ]
        # What a site was called for, and when: excluded days, limits per day and year, overlaps.
        indexes = [models.Index(fields=["site", "from_at"], name="participant_by_site")]


class Opt(models.Model):
    """Every answer ever given, from a device or a person; the newest stands in the participant's row."""

    participant = models.ForeignKey(Participant, models.CASCADE, related_name="opts")
    choice = models.CharField(max_length=8, choices=Choice)
    source = models.CharField(max_length=16, choices=OptSource)
    given_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(choice__in=Choice.values), name="opt_choice_is_known"),
            models.CheckConstraint(condition=Q(source__in=OptSource.values), name="opt_source_is_known"),
        ]

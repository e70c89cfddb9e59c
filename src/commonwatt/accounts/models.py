"""People, the customers they belong to, the sites those have, and the trail of what was done."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from commonwatt.accounts.choices import ActorRole, CustomerKind, MembershipStatus, PendingKind, Role
from commonwatt.kernel.ids import new_public_id

_user_id = partial(new_public_id, "usr")
_membership_id = partial(new_public_id, "mem")
_invitation_id = partial(new_public_id, "inv")


class UserManager(BaseUserManager["User"]):
    """Creates people; the name and signature are what Django's own commands and allauth expect."""

    def create_user(self, email: str, password: str | None = None, **fields: object) -> User:
        """A person with this address; without a password they sign in by a link."""
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password) if password else user.set_unusable_password()
        user.save(using=self._db)
        return user


class User(AbstractBaseUser):
    """A person who signs in, known by their e-mail address."""

    public_id = models.CharField(max_length=32, unique=True, default=_user_id)
    email = models.EmailField(_("e-mail address"), max_length=254)
    name = models.CharField(_("name"), max_length=120, blank=True)
    time_zone = models.CharField(_("time zone"), max_length=64, blank=True, help_text=_("Empty: the site's own zone."))
    language = models.CharField(_("language"), max_length=12, blank=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, help_text="When the account was closed and its personal data erased.")

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects = UserManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["email"], name="user_one_per_email"),
            models.CheckConstraint(condition=Q(email=Lower("email")), name="user_email_is_lower_case"),
        ]

    def __str__(self) -> str:
        return self.name or self.email


class OperatorMembership(models.Model):
    """A person who works at the operator's desk."""

    user = models.OneToOneField(User, models.CASCADE, related_name="operator")
    role = models.CharField(max_length=16, choices=Role)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(role__in=Role.values), name="operator_role_is_known")]


class Customer(models.Model):
    """An organisation or a household: the party that holds meters and is credited."""

    public_id = models.CharField(max_length=32, unique=True)
    kind = models.CharField(max_length=16, choices=CustomerKind)
    name = models.CharField(_("name"), max_length=120)
    party_id = models.CharField(max_length=32, unique=True, help_text="The pseudonym in ledger and settlements.")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(kind__in=CustomerKind.values), name="customer_kind_is_known")]

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """A person's place in a customer."""

    public_id = models.CharField(max_length=32, unique=True, default=_membership_id)
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=Role)
    status = models.CharField(max_length=16, choices=MembershipStatus)
    created_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["customer", "user"], name="membership_one_per_person"),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="membership_role_is_known"),
            models.CheckConstraint(condition=Q(status__in=MembershipStatus.values), name="membership_status_is_known"),
        ]


class Invitation(models.Model):
    """A one-time code with which a person joins a customer; only its digest is kept."""

    public_id = models.CharField(max_length=32, unique=True, default=_invitation_id)
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="invitations")
    email = models.EmailField(max_length=254, blank=True, help_text="If given, only this address may accept.")
    role = models.CharField(max_length=16, choices=Role)
    code_digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    accepted_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(expires_at__gt=F("created_at")), name="invitation_expires_later"),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="invitation_role_is_known"),
        ]


class SignInLink(models.Model):
    """A one-time address that signs a person in, such as the first operator's (S0-57); only its digest is kept."""

    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    token_digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)


class Site(models.Model):
    """A place with one connection to the grid and one civil time zone."""

    public_id = models.CharField(max_length=32, unique=True)
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="sites")
    name = models.CharField(_("name"), max_length=120)
    time_zone = models.CharField(_("time zone"), max_length=64)
    country = models.CharField(_("country"), max_length=8, help_text=_("Whose public holidays count, e.g. GB or BE."))
    latitude = models.FloatField(_("latitude"), null=True, blank=True)
    longitude = models.FloatField(_("longitude"), null=True, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["customer", "name"], name="site_name_once_per_customer"),
            models.CheckConstraint(
                condition=Q(latitude__isnull=True, longitude__isnull=True)
                | Q(latitude__gte=-90, latitude__lte=90, longitude__gte=-180, longitude__lte=180),
                name="site_lies_on_earth",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class PendingClaim(models.Model):
    """What a person signed up with, kept until their address is verified (perhaps on another device); only a digest."""

    user = models.OneToOneField(User, models.CASCADE, related_name="pending_claim")
    kind = models.CharField(max_length=16, choices=PendingKind)
    code_digest = models.CharField(max_length=64, blank=True)
    customer = models.ForeignKey(Customer, models.CASCADE, null=True, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=(Q(kind="join", customer__isnull=False, code_digest=""))
                | (Q(kind__in=["meter", "invitation"], customer__isnull=True) & ~Q(code_digest="")),
                name="pending_claim_holds_what_its_kind_needs",
            ),
        ]


class AuditHead(models.Model):
    """The newest link of the trail: one row, locked by whoever appends, so that the chain has no forks and no gaps."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    sequence = models.BigIntegerField(default=0)
    digest = models.CharField(max_length=64)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="audit_head_is_one_row")]


class AuditEntry(models.Model):
    """One thing that somebody did, chained to the one before it; rows never change (a trigger holds that).

    People appear by id alone, so that erasing a person leaves the trail whole and without a name.
    """

    sequence = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    actor = models.ForeignKey(User, models.DO_NOTHING, null=True, related_name="+", db_constraint=False)
    actor_role = models.CharField(max_length=16, choices=ActorRole)
    action = models.CharField(max_length=64)
    object_kind = models.CharField(max_length=32)
    object_id = models.CharField(max_length=64)
    customer = models.ForeignKey(Customer, models.DO_NOTHING, null=True, related_name="+", db_constraint=False)
    detail = models.JSONField(default=dict)
    previous_digest = models.CharField(max_length=64, unique=True)
    digest = models.CharField(max_length=64, unique=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(sequence__gt=0), name="audit_sequence_is_positive"),
            models.CheckConstraint(condition=Q(actor_role__in=ActorRole.values), name="audit_actor_role_is_known"),
        ]
        indexes = [models.Index(fields=["customer", "-sequence"], name="audit_by_customer")]

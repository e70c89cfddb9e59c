"""Commands for whoever runs the desk: its staff, and the trail of what was done."""

from __future__ import annotations

import click

from commonwatt.ops.commands.frame import Failed, plural, tell, with_tables
from commonwatt.ops.install import Install


@click.command("create-operator")
@click.option("--email", required=True, help="The person's e-mail address.")
@click.option("--name", default="", help="What they are called.")
@click.option(
    "--role",
    type=click.Choice(["administrator", "member"]),
    default="administrator",
    show_default=True,
    help="Administrators also decide about people.",
)
@with_tables
def create_operator(here: Install, *, email: str, name: str, role: str) -> None:
    """Add a person to the operator's staff, and print the one-time address with which they sign in and choose a password."""
    from commonwatt.accounts.people import AlreadyOperator
    from commonwatt.accounts.people import create_operator as create

    _require_address(email)
    try:
        person, token = create(email=email, name=name, role=role, now=here.clock.now())
    except AlreadyOperator as error:
        raise Failed(f"{error}. For a new sign-in address: commonwatt create-sign-in-link --email {email}") from error
    if token is None:
        tell(f"create-operator: {person.label} now works at the desk, and signs in with the password they have")
        return
    click.echo(_address(here, token))
    tell(f"create-operator: {person.label} may open this address once, within 7 days")


@click.command("create-sign-in-link")
@click.option("--email", required=True, help="The address of a member of the operator's staff.")
@with_tables
def create_sign_in_link(here: Install, *, email: str) -> None:
    """Print a new one-time address for a member of the operator's staff who cannot sign in."""
    from commonwatt.accounts.people import NotOperator, new_sign_in_link

    try:
        token = new_sign_in_link(email=email, now=here.clock.now())
    except NotOperator as error:
        raise Failed(f"{error}.") from error
    click.echo(_address(here, token))
    tell("create-sign-in-link: 1 address, to be opened once within 7 days")


@click.group()
def audit() -> None:
    """The trail of what was done."""


@audit.command("verify")
@with_tables
def audit_verify(here: Install) -> None:
    """Walk the audit trail from its beginning and recompute every digest; fail where an entry was altered or removed."""
    del here  # the trail is the install's
    from commonwatt.accounts.audit import verify

    found = verify()
    if found.broken_at is not None:
        raise Failed(f"The audit trail is broken at entry {found.broken_at}: it, or one before it, was altered or removed.")
    click.echo(found.newest_digest)
    tell(f"audit verify: {plural(found.entries, 'entry', 'entries')}, whole")


def _address(here: Install, token: str) -> str:
    from django.urls import reverse

    return f"{here.settings.base_url}{reverse('portal:sign_in_link', args=[token])}"


def _require_address(email: str) -> None:
    from django.core.exceptions import ValidationError
    from django.core.validators import validate_email

    try:
        validate_email(email)
    except ValidationError as error:
        raise click.BadParameter(f"{email!r} is not an e-mail address.", param_hint="--email") from error

"""The Grafanas that the portal manages. None of their secrets is here: a row names the environment variable."""

from __future__ import annotations

import re
from typing import Any, ClassVar, Final

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.utils import timezone

from apps.grafana import address as addresses

MOST_MAPPED: Final = 500
UID: Final = re.compile(r"[A-Za-z0-9_-]{1,40}")
OWN_VARIABLE: Final = re.compile(r"GRAFANA_(TOKEN|PASSWORD)_[A-Z0-9_]{1,60}")
"""Variables that a row may name, see `credentials`."""


def web_address(value: str) -> None:
    """Raises ValidationError for what is no address of a Grafana."""
    try:
        addresses.parse(value)
    except ValueError as error:
        raise ValidationError(str(error)) from None


def link_address(value: str) -> None:
    """A web address, or a path of the portal itself."""
    if not re.fullmatch(r"/[A-Za-z0-9_/-]*", value) or value.startswith("//"):
        web_address(value)


def mapping(value: Any) -> None:
    """Uids (or names of `__inputs`) to uids."""
    if not isinstance(value, dict) or len(value) > MOST_MAPPED:
        raise ValidationError(f'Write an object of at most {MOST_MAPPED} entries, such as {{"uid": "uid there"}}.')
    for name, uid in value.items():
        if not name or len(name) > 200:
            raise ValidationError("Each name has 1 to 200 characters.")
        if not isinstance(uid, str) or not UID.fullmatch(uid):
            raise ValidationError(f"{name!r}: a data source's uid is 1 to 40 letters, digits, '-' and '_'.")


class GrafanaInstance(models.Model):
    """A Grafana and one organisation of it: a target of the sync."""

    class Account(models.TextChoices):
        TOKEN = "token", "service account's token"
        BASIC = "basic", "user name and password"

    class Policy(models.TextChoices):
        """What happens to an edit made in Grafana."""

        ENFORCE = "enforce", "enforce: keep the edit as a revision, and restore ours"
        OBSERVE = "observe", "observe: report it"
        ADOPT = "adopt", "adopt: make it the new revision"
        LOCKED = "locked", "locked: change nothing on either side"

    name = models.CharField(max_length=100, unique=True)
    address = models.CharField(
        max_length=addresses.LONGEST,
        validators=[web_address],
        help_text="Where the portal reaches it, with the path that it is served under, if any.",
    )
    public_address = models.CharField(
        max_length=addresses.LONGEST,
        blank=True,
        validators=[link_address],
        help_text="Where people reach it, for links. Empty: the same.",
    )
    private_network = models.BooleanField(
        default=False,
        help_text="Its address may lie in a private network or on this machine. Without this, only public addresses"
        " are asked, so that nobody can make the portal knock at doors inside.",
    )
    verify_tls = models.BooleanField(
        "check the certificate", default=True, help_text="GRAFANA_CA_BUNDLE names a file of authorities."
    )
    org_id = models.PositiveIntegerField("organisation", default=1, validators=[MinValueValidator(1)])
    account = models.CharField(max_length=10, choices=Account, default=Account.TOKEN)
    user_name = models.CharField(max_length=100, blank=True, help_text="With a password only.")
    variable = models.CharField(
        "environment variable",
        max_length=80,
        help_text="Which one holds the token or the password. Its name begins with GRAFANA_TOKEN_ or"
        " GRAFANA_PASSWORD_; NAME_FILE may name a file instead. The secret itself is never stored.",
    )
    datasources = models.JSONField(
        "data sources",
        default=dict,
        blank=True,
        validators=[mapping],
        help_text="The uid that a registered dashboard names (or the name of its input) and the uid there, as JSON:"
        ' {"vpt-pg": "P1809F7CD0C75ACF3"}. What is not listed keeps its uid.',
    )
    policy = models.CharField(
        "default policy",
        max_length=10,
        choices=Policy,
        default=Policy.OBSERVE,
        help_text="What happens to edits made there, for dashboards that say nothing themselves.",
    )
    enabled = models.BooleanField(default=True, help_text="Whether the portal has anything to do with it.")
    paused = models.BooleanField(default=False, help_text="The schedule leaves it alone; commands still work.")
    from_environment = models.BooleanField(default=False, editable=False)
    version = models.CharField(max_length=40, blank=True, editable=False)
    answered_at = models.DateTimeField("last answered", null=True, blank=True, editable=False)
    problem = models.CharField(max_length=500, blank=True, editable=False)

    class Meta:
        ordering: ClassVar = ["name"]
        verbose_name = "Grafana instance"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["from_environment"], condition=models.Q(from_environment=True), name="one_from_environment"
            ),
            models.UniqueConstraint(fields=["address", "org_id"], name="one_instance_per_organisation"),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Raises ValidationError for an account that cannot work."""
        self.address = self.address.rstrip("/")
        self.public_address = self.public_address.rstrip("/")
        if self.account == self.Account.BASIC and not self.user_name:
            raise ValidationError({"user_name": "A password needs a user name."})
        if ":" in self.user_name:
            raise ValidationError({"user_name": "Basic authentication knows no ':' in user names."})
        if not self.from_environment and not OWN_VARIABLE.fullmatch(self.variable):
            raise ValidationError(
                {"variable": "Name a variable that begins with GRAFANA_TOKEN_ or GRAFANA_PASSWORD_, in capitals."}
            )

    def remember(self, problem: str = "", version: str = "") -> None:
        """What it answered just now, for lists and the health page: `problem` empty for well, `version` where known."""
        self.problem = problem[:500]
        if not problem or version:
            self.answered_at = timezone.now()
        if version:
            self.version = version[:40]
        self.save(update_fields=["problem", "answered_at", "version"])

    def link(self, path: str) -> str:
        """Where people find a path of that Grafana, such as `/d/uid`."""
        return (self.public_address or self.address) + path

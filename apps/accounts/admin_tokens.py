"""API tokens in the admin: made (the text is shown on that one page), looked at, revoked."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import unquote
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from apps.accounts import tokens
from apps.accounts.admin_base import AuditedModelAdmin, BoundedPaginator, record_change
from apps.accounts.audit import snapshot
from apps.accounts.models import ApiToken, AuditEntry, HostTeam, User
from apps.accounts.teams import known_hosts, known_teams

if TYPE_CHECKING:
    AnyModelForm = forms.ModelForm[Any]
else:
    AnyModelForm = forms.ModelForm

LIFETIMES = {"7": "7 days", "30": "30 days", "90": "90 days", "365": "a year", "": "for ever"}
USUAL_LIFETIME = "90"


class NewTokenForm(AnyModelForm):
    """What a new token is for, whose it is, what it is limited to, and how long it lives."""

    scopes = forms.MultipleChoiceField(
        choices=ApiToken.Scope.choices, widget=forms.CheckboxSelectMultiple, initial=[ApiToken.Scope.READ]
    )
    team_ids = forms.MultipleChoiceField(
        label="Only these teams", required=False, help_text="None: all that the owner may see."
    )
    host_names = forms.CharField(
        label="Only these hosts",
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="One on a line. None: all hosts of these teams.",
    )
    lifetime = forms.ChoiceField(label="Valid for", choices=LIFETIMES.items(), initial=USUAL_LIFETIME, required=False)

    class Meta:
        model = ApiToken
        fields = ("name", "owner", "scopes", "team_ids", "host_names")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "team_ids" not in self.fields:
            return  # a token that exists: only its name changes
        field = self.fields["team_ids"]
        assert isinstance(field, forms.MultipleChoiceField)  # noqa: S101 -- declared above
        field.choices = [(str(team), name) for team, name in known_teams().items()]
        hosts = sorted({*known_hosts(), *HostTeam.objects.values_list("host_name", flat=True)})
        if hosts:
            self.fields["host_names"].help_text += f" Known: {', '.join(hosts[:50])}."

    def clean_team_ids(self) -> list[UUID]:
        return [UUID(text) for text in self.cleaned_data["team_ids"]]

    def clean_host_names(self) -> list[str]:
        names = sorted({line.strip() for line in self.cleaned_data["host_names"].splitlines() if line.strip()})
        if any(len(name) > 255 for name in names):
            raise forms.ValidationError("A host's name has at most 255 characters.")
        return names

    def save(self, commit: bool = True) -> Any:
        if days := self.cleaned_data.get("lifetime"):
            self.instance.expires_at = timezone.now() + timedelta(days=int(days))
        return super().save(commit)


@admin.register(ApiToken)
class ApiTokenAdmin(AuditedModelAdmin):
    """A token's rights never change: who needs others makes another token. Only its name can be mended."""

    domain = "access"
    form = NewTokenForm
    list_display = ("name", "owner", "begins", "allowed", "limits", "state", "last_used_at", "expires_at")
    list_select_related = ("owner",)
    list_filter = ("owner",)
    search_fields = ("name", "begins", "owner__username")
    search_help_text = "The name, the owner, or how the token begins"
    paginator = BoundedPaginator
    show_full_result_count = False
    change_form_template = "admin/token_change.html"
    actions = ("revoke",)
    made = ("name", "owner", "scopes", "team_ids", "host_names", "lifetime")
    kept = (
        "name", "owner", "begins", "allowed", "limits", "state", "created_at", "expires_at", "last_used_at",
        "revoked_at",
    )  # fmt: skip

    def get_fieldsets(self, request: HttpRequest, obj: ApiToken | None = None) -> Any:
        return ((None, {"fields": self.kept if obj else self.made}),)

    def get_readonly_fields(self, request: HttpRequest, obj: ApiToken | None = None) -> tuple[str, ...]:
        return self.kept[1:] if obj else ()

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        # The fields that the model lacks are the form's own, and Django asks for model fields here.
        kwargs["fields"] = ["name"] if obj else list(self.made[:-1])
        if obj:
            kwargs["form"] = forms.modelform_factory(ApiToken, fields=["name"])
        return super().get_form(request, obj, change, **kwargs)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "owner":
            owners = User.objects.filter(is_active=True).order_by("username")
            kwargs["queryset"] = owners if request.user.is_superuser else owners.filter(is_superuser=False)
            kwargs["initial"] = request.user.pk
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and isinstance(field.widget, RelatedFieldWidgetWrapper):
            # People are made and changed on their own pages.
            field.widget = field.widget.widget
        return field

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change:
            # On the object, which lives as long as this request; the row holds the digest alone.
            obj.text = tokens.give_text(obj)
        super().save_model(request, obj, form, change)

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        """The page with the token itself: the answer to the form, so that no address, message or session keeps it."""
        del post_url_continue
        context = {
            **self.admin_site.each_context(request),
            "title": f"The token {obj.name}",
            "answer": "Copy it now: nobody can see it again.",
            "opts": self.opts,
            "token": obj,
            "facts": [{"label": "Token", "value": obj.text, "code": True}],
            "root": request.build_absolute_uri("/api/v1/"),
        }
        response = TemplateResponse(request, "admin/token_shown.html", context)
        response["Cache-Control"] = "no-store"
        return response

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        context |= {
            "show_save_and_add_another": False,
            "show_save_and_continue": False,
            "answer": "A program's key to the API. It is shown once, after this form.",
        }
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description="may")
    def allowed(self, token: ApiToken) -> str:
        return ", ".join(token.scopes)

    @admin.display(description="limited to")
    def limits(self, token: ApiToken) -> str:
        names = known_teams() if token.team_ids else {}
        teams = [names.get(team, str(team)) for team in token.team_ids]
        return ", ".join([*teams, *token.host_names]) or "what its owner sees"

    @admin.display(description="state")
    def state(self, token: ApiToken) -> str:
        if token.revoked_at:
            return "revoked"
        if token.expires_at and token.expires_at <= timezone.now():
            return "expired"
        return "valid" if token.owner.is_active else "its owner is not active"

    def get_urls(self) -> list[URLPattern]:
        own = path(
            "<path:object_id>/revoke/", self.admin_site.admin_view(self.revoke_view), name="accounts_apitoken_revoke"
        )
        return [own, *super().get_urls()]

    def revoke_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The question before one token is revoked; its form goes to the list's action."""
        token = self.get_object(request, unquote(object_id))
        if not isinstance(token, ApiToken):
            raise Http404("There is no such token.")
        if not self.has_change_permission(request, token):
            raise PermissionDenied
        return self._ask(request, [token])

    @admin.action(description="Revoke…", permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> HttpResponse | None:
        if request.POST.get("confirmed") != "yes":
            return self._ask(request, list(queryset))
        revoked = 0
        for token in queryset:
            with transaction.atomic():
                before = snapshot(token)
                if tokens.revoke(token):
                    token.refresh_from_db()
                    record_change(
                        AuditEntry.Action.CHANGE, obj=token, request=request, before=before, after=snapshot(token)
                    )
                    revoked += 1
        self.message_user(request, f"Revoked: {revoked}.", messages.SUCCESS)
        return None

    def _ask(self, request: HttpRequest, chosen: list[ApiToken]) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": f"Revoke {len(chosen)} token{'' if len(chosen) == 1 else 's'}",
            "answer": "Whatever uses them is refused within seconds. This cannot be taken back.",
            "opts": self.opts,
            "tokens": chosen,
            "checkbox": ACTION_CHECKBOX_NAME,
            "back": reverse("admin:accounts_apitoken_changelist"),
        }
        return TemplateResponse(request, "admin/tokens_revoke.html", context)

"""The forms with which administrators change the registry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django import forms

from apps.accounts.scope import TeamScope
from apps.accounts.teams import known_teams
from apps.dashboards.archive import MAX_UPLOAD
from apps.dashboards.bodies import MAX_BYTES
from apps.dashboards.folders import titles_of
from apps.dashboards.models import Folder

if TYPE_CHECKING:
    FolderField = forms.ModelChoiceField[Folder]
    ModelForm = forms.ModelForm[Any]
else:
    FolderField = forms.ModelChoiceField
    ModelForm = forms.ModelForm

AT_THE_TOP = "No folder"


class FolderChoiceField(FolderField):
    """A folder of those that somebody may see, by the path of its titles."""

    def __init__(self, scope: TeamScope, **options: Any) -> None:
        super().__init__(Folder.objects.of_teams(scope), required=False, empty_label=AT_THE_TOP, **options)
        self._folders: dict[int, Folder] | None = None

    def label_from_instance(self, obj: Folder) -> str:
        if self._folders is None:
            self._folders = Folder.objects.in_bulk()
        return " / ".join(titles_of(obj.pk, self._folders))


def team_field(teams: Mapping[UUID, str], help_text: str = "") -> forms.TypedChoiceField:
    """A choice of a team, or of everybody (None)."""
    return forms.TypedChoiceField(
        label="Team",
        required=False,
        coerce=lambda value: value if isinstance(value, UUID) else UUID(value),
        empty_value=None,
        choices=[("", "Everybody"), *teams.items()],
        help_text=help_text,
    )


class TeamChoiceForm(ModelForm):
    """A row that may belong to a team: the platform's teams by name, and the name copied. Where they cannot be read, an
    id is typed."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.teams = known_teams()
        if self.teams and "team_id" in self.fields:
            chosen = self.instance.team_id
            gone = {} if chosen is None or chosen in self.teams else {chosen: f"{self.instance.team_name} (gone)"}
            self.fields["team_id"] = team_field({**self.teams, **gone}, str(self.fields["team_id"].help_text))

    def save(self, commit: bool = True) -> Any:
        team = self.instance.team_id
        self.instance.team_name = "" if team is None else self.teams.get(team, self.instance.team_name)
        return super().save(commit)


class ReasonForm(forms.Form):
    """Why something is done."""

    reason = forms.CharField(
        max_length=2000, required=False, label="Why", help_text="It stands in the history and in the audit trail."
    )


class AddForm(ReasonForm):
    """Dashboards from a file, an archive, or typed."""

    file = forms.FileField(
        required=False,
        label="File",
        help_text=f"A dashboard as .json, or a .zip of them, up to {MAX_UPLOAD // 1024 // 1024} MB. The archive's"
        " directories become folders.",
    )
    text = forms.CharField(
        required=False,
        strip=False,
        label="Or paste a dashboard's JSON",
        widget=forms.Textarea({"rows": 8, "spellcheck": "false", "class": "code-text"}),
    )
    inputs = forms.CharField(
        required=False,
        label="Values that an export asks for",
        widget=forms.Textarea({"rows": 2, "spellcheck": "false", "class": "code-text"}),
        help_text="One a line, as NAME=VALUE. Data sources become the portal's without one.",
    )
    replace = forms.BooleanField(
        required=False,
        label="Change what is registered already",
        help_text="Without this, a file whose uid is taken is refused. With it, the file becomes a new revision.",
    )

    def __init__(self, scope: TeamScope, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["folder"] = FolderChoiceField(scope, label="Into the folder")
        self.teams = known_teams()
        self.fields["team_id"] = team_field(self.teams, "Who may see what is new; what is registered keeps its team.")
        self.order_fields(["file", "text", "folder", "team_id", "replace", "inputs", "reason"])

    def clean_inputs(self) -> dict[str, str]:
        values = {}
        for line in filter(None, map(str.strip, self.cleaned_data["inputs"].splitlines())):
            name, separator, value = line.partition("=")
            if not separator:
                raise forms.ValidationError(f"“{line[:60]}” is not written as NAME=VALUE.")
            values[name.strip()] = value.strip()
        return values

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file and file.size > MAX_UPLOAD:
            raise forms.ValidationError(f"The file is larger than {MAX_UPLOAD // 1024 // 1024} MB.")
        return file

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        team = cleaned.get("team_id")
        cleaned["team_name"] = self.teams.get(team, "") if team else ""
        if not self.errors and bool(cleaned.get("file")) == bool(cleaned.get("text", "").strip()):
            raise forms.ValidationError("Choose a file, or paste a dashboard: one of the two.")
        return cleaned


class EditForm(forms.Form):
    """A dashboard's JSON, and the number of the revision that it was begun from."""

    text = forms.CharField(
        strip=False, max_length=2 * MAX_BYTES, label="JSON", widget=forms.Textarea({"rows": 30, "spellcheck": "false"})
    )
    base = forms.IntegerField(widget=forms.HiddenInput)
    reason = forms.CharField(max_length=2000, required=False, label="Why")

    @property
    def saves(self) -> bool:
        """Whether the text is to be saved, and not looked at alone."""
        return self.data.get("do") == "save"

    def clean_reason(self) -> str:
        reason = str(self.cleaned_data["reason"])
        if self.saves and not reason:
            raise forms.ValidationError("Say in some words why: whoever reads the history will ask.")
        return reason


class CloneForm(ReasonForm):
    """The new name of a clone."""

    title = forms.CharField(max_length=5000)
    uid = forms.CharField(
        max_length=40, required=False, label="Uid", help_text="Its address, /d/uid/. Empty: one is made from the title."
    )

    def __init__(self, scope: TeamScope, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["folder"] = FolderChoiceField(scope, label="Folder")
        self.order_fields(["title", "uid", "folder", "reason"])

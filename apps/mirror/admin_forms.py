"""Form fields that give back what they were given: looking at JSON, lists, moments and text never changes them."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, Final, NoReturn

from django import forms
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.forms.utils import from_current_timezone, to_current_timezone

from apps.mirror.fields import UpdatedAtField

MOST_ROWS: Final = 24
"""Lines that a field for JSON or text shows at first."""


class TextWidget(forms.Textarea):
    """A field as high as its content: one line for a name, more for a log."""

    def __init__(self, attrs: dict[str, Any] | None = None, *, least: int = 1) -> None:
        super().__init__(attrs)
        self.least = least

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        lines = str(value or "").count("\n") + 1
        rows = min(MOST_ROWS, max(self.least, lines))
        return super().get_context(name, value, {"rows": rows, **(attrs or {})})


class PlainTextField(forms.CharField):
    """Text as it is: spaces at its ends are kept, and so are its line ends, which browsers send as CR LF."""

    widget = TextWidget

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"strip": False, **kwargs})

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        return text.replace("\r\n", "\n") if isinstance(text, str) else text


class MomentField(forms.DateTimeField):
    """A date and time in the server's zone, to the microsecond."""

    class Widget(forms.DateTimeInput):
        supports_microseconds = True

        def format_value(self, value: Any) -> str | None:
            return value.isoformat(" ") if isinstance(value, datetime) else value

    widget = Widget

    def prepare_value(self, value: Any) -> Any:
        return to_current_timezone(value) if isinstance(value, datetime) else value

    def to_python(self, value: Any) -> datetime | None:
        text = value.strip() if isinstance(value, str) else value
        if isinstance(text, str) and text:
            try:
                parsed = datetime.fromisoformat(text)
            except ValueError:
                raise ValidationError("Write it as 2026-03-01 12:30:00.", code="invalid") from None
            return from_current_timezone(parsed) if parsed.tzinfo is None else parsed
        return super().to_python(text)


class JSONEditorField(forms.JSONField):
    """JSON, shown in lines; an error tells the line and column where it is."""

    def __init__(self, *, nullable: bool = True, **kwargs: Any) -> None:
        attrs = {"class": "json-editor", "spellcheck": "false", "autocomplete": "off"}
        # Not required as Django means it, which counts {} and [] as empty.
        super().__init__(**{**kwargs, "required": False, "widget": TextWidget(attrs, least=3)})
        self.nullable = nullable

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, forms.fields.InvalidJSONInput):
            return str(value)
        return "" if value is None else json.dumps(value, indent=2, ensure_ascii=False, cls=self.encoder)

    def to_python(self, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        if not value.strip():
            if not self.nullable:
                raise ValidationError("It must not be empty: write {} or [] for nothing.", code="required")
            return None
        try:
            found = json.loads(value, parse_constant=_no_constant)
        except json.JSONDecodeError as error:
            raise ValidationError(
                f"Line {error.lineno}, column {error.colno}: {error.msg}.", code="invalid", params={"value": value}
            ) from None
        except ValueError as error:
            raise ValidationError(str(error), code="invalid", params={"value": value}) from None
        if "\\u0000" in json.dumps(found):
            raise ValidationError("PostgreSQL's JSON cannot hold the character NUL (\\u0000).", code="invalid")
        return found


class ListEditorField(JSONEditorField):
    """A PostgreSQL array, edited as a JSON list, so that its elements may hold commas."""

    def __init__(self, *, base_field: models.Field[Any, Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.base_field = base_field

    def prepare_value(self, value: Any) -> Any:
        return super().prepare_value([str(one) for one in value] if isinstance(value, list | tuple) else value)

    def to_python(self, value: Any) -> Any:
        found = super().to_python(value)
        if found is None:
            return None
        if not isinstance(found, list):
            raise ValidationError('Write a list, such as ["one", "two"].', code="invalid")
        cleaned = []
        for number, one in enumerate(found, 1):
            if not isinstance(one, str):
                raise ValidationError(
                    f'Element {number} is no text: write it in quotes, such as "one".', code="invalid"
                )
            try:
                cleaned.append(self.base_field.to_python(one))
            except ValidationError as error:
                raise ValidationError(f"Element {number}: {' '.join(error.messages)}", code="invalid") from None
        return cleaned

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.to_python(data) != initial)
        except ValidationError:
            return True


def form_field(column: models.Field[Any, Any]) -> forms.Field | None:
    """The field of a form for a mirrored column; None where Django's own does."""
    common: dict[str, Any] = {
        "label": str(column.verbose_name).capitalize() if column.verbose_name.islower() else column.verbose_name,
        "help_text": column.help_text,
    }
    required = not (column.blank or column.null)
    match column:
        case models.JSONField():
            return JSONEditorField(nullable=column.null, **common)
        case ArrayField():
            help_text = " ".join(filter(None, [str(column.help_text), "A list as JSON."]))
            return ListEditorField(
                base_field=column.base_field, nullable=column.null, **{**common, "help_text": help_text}
            )
        case models.DateTimeField() if not isinstance(column, UpdatedAtField):
            return MomentField(required=required, **common)
        case models.TextField() | models.CharField() if words := allowed_words(column):
            choices = (
                [("", "---------"), *((word, word) for word in words)] if not required else words_as_choices(words)
            )
            return forms.TypedChoiceField(
                choices=choices, required=required, empty_value=None if column.null else "", **common
            )
        case models.TextField() | models.CharField():
            return PlainTextField(
                required=required, max_length=column.max_length, empty_value=None if column.null else "", **common
            )
    return None


def words_as_choices(words: tuple[str, ...]) -> list[tuple[str, str]]:
    """Choices whose labels are the words themselves."""
    return [(word, word) for word in words]


def allowed_words(column: models.Field[Any, Any]) -> tuple[str, ...]:
    """The words that the platform's own CHECK constraint allows in `column`; empty where there is none."""
    for constraint in column.model._meta.constraints:
        if isinstance(constraint, models.CheckConstraint) and isinstance(constraint.condition, models.Q):
            condition = constraint.condition
            if condition.negated or len(condition.children) != 1:
                continue
            child = condition.children[0]
            if isinstance(child, tuple) and child[0] == f"{column.name}__in":
                return tuple(child[1])
    return ()


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON value.")

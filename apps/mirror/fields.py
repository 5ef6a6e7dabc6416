"""Model fields for column types of the mirrored tables that Django has no field for."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar

from django.core.exceptions import ObjectDoesNotExist
from django.db import models
from django.db.models.fields.related_descriptors import ForwardManyToOneDescriptor
from django.utils import timezone

Set = TypeVar("Set")
Get = TypeVar("Get")

if TYPE_CHECKING:
    FloatField = models.FloatField
    DateTimeField = models.DateTimeField
else:
    # Django's fields take no type arguments at run time.
    FloatField = {(Set, Get): models.FloatField}
    DateTimeField = {(Set, Get): models.DateTimeField}


class LooseDescriptor(ForwardManyToOneDescriptor):  # type: ignore[type-arg]  # generic in the stubs alone
    """`row.team` is None where the row that it names is not there, instead of an error in the middle of a page."""

    def __get__(self, instance: Any, cls: Any = None) -> Any:
        try:
            return super().__get__(instance, cls)
        except ObjectDoesNotExist:
            self.field.set_cached_value(instance, None)
            return None


class Reference(models.ForeignKey[Set, Get]):
    """A foreign key that the ORM can join by; constraint, index and deletion are the database's own business.

    Some of the platform's references have no constraint, and a table or column may be missing: what is not found is
    None, also where the column itself must not be NULL.
    """

    forward_related_accessor_class = LooseDescriptor

    def __init__(self, to: Any, on_delete: Any = models.DO_NOTHING, **kwargs: Any) -> None:
        super().__init__(to, on_delete, **{"db_constraint": False, "db_index": False, **kwargs})


class NumericField(FloatField[Set, Get]):
    """A measurement in a `numeric` column, read as a float; `digits=(5, 2)` makes it `numeric(5,2)`.

    The platform keeps percentages, seconds and gigabytes in unbounded `numeric`, which Django's DecimalField cannot
    declare, and nobody adds up money with them: a float is what pages and charts want.
    """

    description = "Measurement (numeric)"

    def __init__(self, *args: Any, digits: tuple[int, int] | None = None, **kwargs: Any) -> None:
        self.digits = digits
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, arguments, keywords = super().deconstruct()
        if self.digits is not None:
            keywords["digits"] = self.digits
        return name, path, arguments, keywords

    def db_type(self, connection: Any) -> str:
        return "numeric" if self.digits is None else "numeric({},{})".format(*self.digits)

    def from_db_value(self, value: Decimal | float | None, expression: Any, connection: Any) -> float | None:
        return None if value is None else float(value)


class NaiveUTCDateTimeField(DateTimeField[Set, Get]):
    """A `timestamp without time zone` column whose values are UTC: read and written as aware datetimes.

    Truncating it in another zone (`TruncDay(..., tzinfo=...)`) would take the stored value for that zone's local
    time; truncate in UTC.
    """

    description = "Date and time in UTC, stored without its zone"

    def db_type(self, connection: Any) -> str:
        return "timestamp without time zone"

    def from_db_value(self, value: datetime | None, expression: Any, connection: Any) -> datetime | None:
        return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        value = super().get_db_prep_value(value, connection, prepared)
        return timezone.make_naive(value, UTC) if isinstance(value, datetime) and timezone.is_aware(value) else value


class UpdatedAtField(DateTimeField[Set, Get]):
    """The moment of the last change. The platform has no trigger for it, so every save of an existing row sets it."""

    description = "Moment of the last change"

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        if not add:
            setattr(model_instance, self.attname, timezone.now())
        return super().pre_save(model_instance, add)

"""How periods and columns are written in a study."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from areaeffect.periods import kind_of

#: A column of a source: 'source.column'.
ColumnText = Annotated[str, Field(pattern=r"^[^.]+\..+$")]


def _text_of_period(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _is_period(text: str) -> str:
    if kind_of(text) is None:
        msg = f"'{text}' is not a period; write '2012-04', '2012-Q2', '2012' or a number"
        raise ValueError(msg)
    return text


PeriodText = Annotated[str, BeforeValidator(_text_of_period), AfterValidator(_is_period)]

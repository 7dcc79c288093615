"""What all records of results.json have in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Record(BaseModel):
    """Base of all records: frozen, finite numbers only, unknown fields of later versions ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)

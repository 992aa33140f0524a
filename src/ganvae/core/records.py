"""Records: JSON files with a fixed set of keys and types."""

import json
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from ganvae.core.errors import DataError


class Record(BaseModel):
    """Base class of records. A record is immutable and refuses unknown keys, NaN and infinity."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, protected_namespaces=()
    )


R = TypeVar("R", bound=Record)


def parse_record(kind: type[R], value: Any, path: Path, remedy: str) -> R:
    """Turn a JSON value into a record.

    Args:
        kind: the class of the record. The name of the class ends in ``Record``.
        value: the JSON value, as read by `read_json`.
        path: the file that holds the value, for the error message.
        remedy: a sentence that tells the user how to repair the file.

    Raises:
        DataError: the value does not fit the record. The message names the first fault.
    """
    try:
        # As JSON, because strict Python values would need tuples where JSON has lists.
        return kind.model_validate_json(json.dumps(value), strict=True)
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(map(str, fault["loc"])) or "top level"
        name = kind.__name__.removesuffix("Record").lower()
        if fault["type"] == "value_error":  # our own sentence, which names the place
            raise DataError(f"{path}: {fault['ctx']['error']}. {remedy}") from None
        raise DataError(
            f"{path}: not a {name} record ({where}: {fault['msg']}). {remedy}"
        ) from None
    except RecursionError:
        raise DataError(f"{path} is nested too deeply. {remedy}") from None

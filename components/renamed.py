"""Takes settings by their earlier names, with a FutureWarning; raises TypeError when both names are given."""

import warnings
from collections.abc import Mapping
from typing import Any


def apply_renames(given: Mapping[str, Any], renamed: Mapping[str, str], owner: str) -> dict[str, Any]:
    """
    The settings under the names of now.

    :param given: Settings by name.
    :param renamed: Earlier name to name of now.
    :param owner: Whose settings they are, for messages.
    :raises TypeError: When a setting is given under both names.
    """
    settings = dict(given)
    for earlier, now in renamed.items():
        if earlier not in settings:
            continue
        if now in settings:
            raise TypeError(f"{owner}: {earlier} is the earlier name of {now}; give one of them")
        warnings.warn(
            f"{owner}: the setting {earlier} is now called {now}; the earlier name will go away",
            FutureWarning,
            stacklevel=4,
        )
        settings[now] = settings.pop(earlier)
    return settings

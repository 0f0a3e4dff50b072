"""What is different about the pipeline since the index was made, in words."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from components.stores.contract import PassageStore
from indexing.fingerprint import describe_pipeline, fingerprint_of
from indexing.pipeline import IndexPipeline

# What people call a setting, and what it counts.
_NAMES = {
    "max_tokens": ("passage length", "tokens"),
    "overlap": ("overlap of passages", "sentences"),
    "prefix_fields": ("what is put before each passage", ""),
    "meta_fields_to_embed": ("what is embedded besides the text", ""),
    "hidden": ("hidden text", ""),
    "ocr": ("recognition of text in pictures", ""),
}
_UNSET = "as the model says"  # where a setting that has a word of its own is null


def find_changes(store: PassageStore, pipeline: IndexPipeline) -> list[str]:
    """
    What of the pipeline differs from what the files of the index were made with; empty when nothing does, and when
    nothing is indexed.
    """
    used = Counter(source.fingerprint for source in store.sources.all() if source.state == "indexed")
    now = describe_pipeline(pipeline.made_by)
    others = [name for name, _ in used.most_common() if name != fingerprint_of(now)]
    if not others:
        return []
    before = store.sources.get_pipeline(others[0])
    if before is None:
        return [f"pipeline {others[0]} -> {fingerprint_of(now)} (the settings of before are not recorded)"]
    return tell_differences(before, now) or [f"pipeline {others[0]} -> {fingerprint_of(now)}"]


def tell_differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """
    "passage length 256 -> 150 tokens", "model X -> Y": one text a setting that differs.

    :param before: and `now`: as `describe_pipeline` gives them. What is the same in several components is told once.
    """
    told: list[str] = []
    if before["format"] != now["format"]:
        told.append(f"how this version of Excerpt reads files (format {before['format']} -> {now['format']})")
    old, new = list(before["components"]), list(now["components"])
    for kind in dict.fromkeys(one["type"] for one in [*old, *new]):
        was = [one for one in old if one["type"] == kind]
        is_now = [one for one in new if one["type"] == kind]
        told += [f"{_short(kind)} is new" for _ in is_now[len(was) :]]
        told += [f"{_short(kind)} is gone" for _ in was[len(is_now) :]]
        for one, other in zip(was, is_now, strict=False):
            told += _tell_settings(kind, one, other)
    if not told and [one["type"] for one in old] != [one["type"] for one in new]:
        told.append("the order of the components")
    return list(dict.fromkeys(told))


def _tell_settings(kind: str, before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    told = []
    old, new = before["settings"], now["settings"]
    for name in sorted(old.keys() | new.keys()):
        if old.get(name) != new.get(name):
            told.append(_tell(kind, name, old.get(name), new.get(name)))
    if before["digest"] != now["digest"] and old.get("model") == new.get("model"):
        told.append(f"the weights of model {new.get('model')}")
    return told


def _tell(kind: str, name: str, before: Any, now: Any) -> str:
    if name == "model":
        return f"model {before} -> {now}"
    called, unit = _NAMES.get(name, (f"{name} of {_short(kind)}", ""))
    unset = _UNSET if name == "max_tokens" else "none"
    return f"{called} {_value(before, unset)} -> {_value(now, unset)}{f' {unit}' if unit else ''}"


def _value(value: Any, unset: str) -> str:
    if value is None:
        return unset
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(map(str, value)) or "nothing"
    return str(value)


def _short(kind: str) -> str:
    return kind.rpartition(".")[2]

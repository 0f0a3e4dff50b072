"""
One table of filters, and what each leaves: every store is held against it.

Haystack's own rule (`haystack.utils.filters`) gives the right answer; where it raises, as when a list is ordered,
nothing matches.
"""

from typing import Any

from haystack import Document

LONG, OTHER_LONG = "w" * 9000, "w" * 8999 + "v"
BEYOND = 2**53 + 1  # the first whole number that a double does not hold

METAS: dict[str, dict[str, Any]] = {
    "list-xyz": {"k": ["x", "y", "z"]},
    "list-xy": {"k": ["x", "y"]},
    "list-yx": {"k": ["y", "x"]},
    "list-x": {"k": ["x"]},
    "list-xx": {"k": ["x", "x"]},
    "list-empty": {"k": []},
    "text-x": {"k": "x"},
    "text-1": {"k": "1"},
    "text-empty": {"k": ""},
    "text-long": {"k": LONG},
    "text-quote": {"k": 'it\'s "odd" \\ \x1f\n'},
    "text-upper": {"k": "X"},
    "none": {"k": None},
    "missing": {},
    "number-1": {"n": 1},
    "number-1.0": {"n": 1.0},
    "number-1.5": {"n": 1.5},
    "number-2**53": {"n": 2**53},
    "number-2**53+1": {"n": BEYOND},
    "number-list": {"n": [1, 2]},
    "number-negative": {"n": -1},
    "flag": {"flag": True},
    "no-flag": {"flag": False},
    "day": {"when": "2024-05-31"},
    "noon": {"when": "2024-05-31T12:00:00"},
    "noon-in-utc": {"when": "2024-05-31T12:00:00+00:00"},
    "noon-in-berlin": {"when": "2024-05-31T14:00:00+02:00"},
    "later": {"when": "2025-01-01T00:00:00+00:00"},
    "nested": {"who": {"name": "Ada", "age": 36}},
    "nested-other": {"who": {"name": "Bea", "langs": ["de", "fr"]}},
    "nested-none": {"who": {"name": None}},
    "page": {"page_number": 1, "source_id": "s", "file_name": "a.txt"},
}

_EQUALS = [
    *(("k", value) for value in (["x", "y"], ["x"], [], ["y"], "x", "1", 1, "", LONG, OTHER_LONG, None, "X")),
    ("k", METAS["text-quote"]["k"]),
    *(("n", value) for value in (1, 1.0, True, "1", 1.5, 2**53, BEYOND, float(2**53), [1, 2], [2, 1], -1, None, "a")),
    *(("flag", value) for value in (True, False, 1, 0, "true", None)),
    *(("when", value) for value in ("2024-05-31", "2024-05-31T12:00:00", "2024-05-31T12:00:00+00:00", "noon", None)),
    *(("who.name", value) for value in ("Ada", None, "ada")),
    ("who.age", 36),
    ("who.langs", ["de", "fr"]),
    ("who", {"name": "Ada", "age": 36}),
    ("who", None),
    ("no_such_field", "x"),
    ("no_such_field", None),
    *(("page_number", value) for value in (1, 1.0, 1.5, "1", None)),
    *(("source_id", value) for value in ("s", 1, None)),
]
_IN = [
    ("k", ["x", None]),
    ("k", ["x", "1", LONG]),
    ("k", [["x", "y"], "x"]),
    ("k", []),
    ("k", [None]),
    ("n", [1, "1.5", BEYOND]),
    ("page_number", [1, "2", None]),
]
_ORDERED = [
    *(("n", value) for value in (1, 1.0, 0, -5)),  # larger ones are ordered as doubles
    ("when", "2024-05-31T11:00:00+00:00"),
    ("when", "2024-06-01T00:00:00+00:00"),
    ("who.age", 30),
    ("page_number", 1),
    ("no_such_field", 1),
    ("n", None),
]


def documents() -> list[Document]:
    return [Document(id=name, content=f"about {name}", meta=meta) for name, meta in METAS.items()]


def filters() -> list[dict[str, Any]]:
    comparisons = [
        *((field, operator, value) for field, value in _EQUALS for operator in ("==", "!=")),
        *((field, operator, value) for field, value in _IN for operator in ("in", "not in")),
        *((field, operator, value) for field, value in _ORDERED for operator in (">", ">=", "<", "<=")),
    ]
    single = [{"field": f"meta.{field}", "operator": sign, "value": value} for field, sign, value in comparisons]
    pairs = list(zip(single[::3], single[1::3], strict=False))
    joined = [
        {"operator": operator, "conditions": [one, {"operator": "NOT", "conditions": [other]}]}
        for operator in ("AND", "OR")
        for one, other in pairs
    ]
    return [*single, *joined]

"""Importing LanceDB without the client that nothing here uses."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[4]


def python(script: str) -> list[str]:
    return subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()


def test_the_unused_client_is_left_out_until_somebody_asks_for_it():
    script = """
import sys
from components.stores.lancedb.lazy_import import lancedb
assert lancedb() is sys.modules["lancedb"]
print("lance_namespace_urllib3_client.api" in sys.modules)
import lance_namespace_urllib3_client
print(lance_namespace_urllib3_client.TableApi.__name__)
print("lance_namespace_urllib3_client.api" in sys.modules)
try:
    lance_namespace_urllib3_client.nothing
except AttributeError:
    print("AttributeError")
"""
    assert python(script) == ["False", "TableApi", "True", "AttributeError"]


def test_the_store_can_be_named_in_a_pipeline_without_importing_lancedb(tmp_path):
    script = f"""
import sys
from components.stores.lancedb import LanceDBDocumentStore
LanceDBDocumentStore({str(tmp_path)!r}).count_documents()
print(*[name for name in ("lancedb", "pyarrow", "transformers") if name in sys.modules])
"""
    assert python(script) == []

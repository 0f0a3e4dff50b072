"""
What `client/deadline.py` and `store.py` take for granted of elastic-transport and elasticsearch-haystack without their
promising it: when an upgrade changes it, these tests say so before a question hangs.
"""

import http.server
import threading
import time
from contextlib import suppress

import pytest
from elastic_transport import ConnectionTimeout, HttpHeaders, NodeConfig, Transport, TransportApiResponse
from haystack_integrations.document_stores.elasticsearch import ElasticsearchDocumentStore as HaystackStore

from components.stores.elasticsearch import ElasticsearchDocumentStore
from components.stores.elasticsearch.client.deadline import DeadlineNode


class Server(http.server.BaseHTTPRequestHandler):
    """Answers with what it was asked; `/dripping` sends its headers a byte every tenth of a second."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n".encode()
        step = 1 if self.path == "/dripping" else len(head)
        with suppress(OSError):  # the client has given up, as it should
            for first in range(0, len(head), step):
                self.wfile.write(head[first : first + step])
                time.sleep(0.1 if step == 1 else 0)
            self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def node():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    node = DeadlineNode(NodeConfig("http", "127.0.0.1", server.server_port))
    yield node
    node.close()
    server.shutdown()
    server.server_close()


def test_the_pool_takes_our_connection_class_and_it_reads_by_our_deadline(node):
    """`urllib3`'s `ConnectionCls` and `http.client`'s `response_class` are where the deadline hangs."""
    reply = node.perform_request("POST", "/plain", b"[1]", HttpHeaders({"content-type": "application/json"}), 5.0)
    assert (reply.meta.status, reply.body) == (200, b"[1]")
    start = time.monotonic()
    with pytest.raises(ConnectionTimeout):
        node.perform_request("POST", "/dripping", b"[1]", HttpHeaders(), 0.5)
    assert time.monotonic() - start < 3.0


def test_a_transport_takes_any_pair_of_meta_and_body_from_a_node(node):
    """elastic-transport keeps the type that a node returns to itself; ours returns its public neighbour."""
    assert TransportApiResponse._fields == ("meta", "body")
    transport = Transport([node.config], node_class=DeadlineNode)
    headers = {"content-type": "application/json", "accept": "application/json"}
    assert transport.perform_request("POST", "/plain", body={"a": 1}, headers=headers).body == {"a": 1}
    transport.close()


def test_the_integrations_retrievers_ask_what_we_replace():
    """They call these and read these of the store they are given; all of it leads to our connection."""
    ours, theirs = ElasticsearchDocumentStore(), HaystackStore()
    for name in ("_index", "_hosts", "_client", "_async_client", "_kwargs", "_headers"):
        assert hasattr(theirs, name), name
        assert hasattr(ours, name), name
    for name in ("_ensure_initialized", "_ensure_initialized_async", "_create_async_client", "client"):
        assert name in vars(HaystackStore), name
        assert name in vars(ElasticsearchDocumentStore), name
    for name in ("_bm25_retrieval", "_embedding_retrieval", "_search_documents"):
        assert name in vars(HaystackStore), name

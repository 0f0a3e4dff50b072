"""`make elasticsearch`: one server to play with, until Ctrl-C. `python -m elasticsearch_server [PORT]`"""

import signal
import sys

from elasticsearch_server.find import NoServer, find_server


def main() -> int:
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 9200
    try:
        server = find_server(port)
    except (NoServer, RuntimeError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"Elasticsearch ({server.source}) answers at {server.url}; Ctrl-C ends it.")
    print(f"  export ELASTICSEARCH_URL={server.url}", flush=True)
    try:
        signal.sigwait({signal.SIGINT, signal.SIGTERM})
    finally:
        server.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

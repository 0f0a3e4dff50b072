"""What of the Elasticsearch store can be tested without a server."""

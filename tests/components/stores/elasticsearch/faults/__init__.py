"""The Elasticsearch store behind a proxy that delays, cuts and alters what the server says."""

"""Sources that are no files of this machine: web sites, object stores, lists of JSON lines."""

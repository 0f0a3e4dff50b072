"""From a file's bytes to its text: one module a format, each run in a process of its own (`pool`)."""

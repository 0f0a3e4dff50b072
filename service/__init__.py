"""Excerpt behind HTTP, MCP and OpenAI's protocol: one process on Hayhooks, with keys, permissions and limits."""

"""Who asks, and what may they see: keys, tokens, permissions, rates, the audit log."""

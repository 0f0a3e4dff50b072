"""What keeps the service honest and quick when too much is asked of it."""

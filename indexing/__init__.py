"""What runs when documents come in: from files that changed to passages in a store."""

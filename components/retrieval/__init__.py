"""What happens between a store's hits and the passages that a reader gets."""

"""Documents as the service keeps them: originals, who may see them, and the jobs that bring them into the index."""

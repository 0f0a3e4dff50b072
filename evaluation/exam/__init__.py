"""An exam of one's own: a frozen test set made from an index, and pipelines held against it."""

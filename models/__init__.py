"""The readers that come with Excerpt: weights, tokenizer, calibration and card, one folder a model."""

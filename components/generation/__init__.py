"""What encoder-decoders (T5, FLAN, BART) need to read and ask: engine, prompts, and where a written answer stands."""

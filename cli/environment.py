"""What is settled before torch and Haystack are imported, unless the user's environment says otherwise."""

import os

_SETTINGS = {
    # No figures about use leave the machine unless the user asks for it.
    "HAYSTACK_TELEMETRY_ENABLED": "False",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "TOKENIZERS_PARALLELISM": "false",
    # For training alone: reader and embedder need nothing of the kind (encoder/parallel.py). How long a thread of
    # torch that waits for another spins before it sleeps. The default (300,000) keeps another busy process from its
    # core, and loses most of both processes' speed; 2,000 costs nothing alone.
    "GOMP_SPINCOUNT": "2000",
}


def settle_environment() -> None:
    """Set what is not set. Call it before anything imports torch."""
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)

"""Pruning, representation similarity and their pictures, free of Streamlit.

A reading order: request/sweep_request, inputs/prepare, encoder/loading, pruning/magnitude,
similarity/cka, sweep/sweep, results/schema, findings/claim, charts/story.
"""

import os

# The Hub's client and transformers read these when they are first imported, by any module.
ENVIRONMENT = {
    "HF_HUB_DISABLE_XET": "1",  # plain HTTP: progress, cancelling and time-outs work
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",  # we report progress
    "HF_HUB_VERBOSITY": "critical",  # its exceptions repeat its warnings
    "HF_HUB_DISABLE_TELEMETRY": "1",  # one request less, and no data about this computer
    "DISABLE_SAFETENSORS_CONVERSION": "1",  # no thread asks the Hub to convert weights
}
for _name, _value in ENVIRONMENT.items():
    os.environ.setdefault(_name, _value)

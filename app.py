"""The front door: build the page and serve it.

Host and port come from the environment (``GRADIO_SERVER_NAME``, ``GRADIO_SERVER_PORT``), so
the same file runs on a laptop, in a classroom and as a Hugging Face Space.
"""

import os
import signal
import sys
import tempfile
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

if "GRADIO_TEMP_DIR" not in os.environ:  # Gradio's default is shared with other apps
    name = f"recon-{os.getuid() if hasattr(os, 'getuid') else 'uploads'}"
    os.environ["GRADIO_TEMP_DIR"] = str(Path(tempfile.gettempdir()) / name)

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # nobody is told who starts this, and when

with suppress(ImportError):  # on Hugging Face's ZeroGPU machines, where it comes before torch
    import spaces  # noqa: F401

from recon import readers, weights
from recon.ui import CSS, HEAD, THEME, advance, build, serving

store, problem = weights.default_or_shipped()
if problem:
    print(f"{problem} The weights that ship take their place.", file=sys.stderr)
    weights.use(store)
demo = build()


def serve(**options: Any) -> tuple[Any, str, str]:
    """Serve the page; `options` go to Gradio's ``launch``."""
    readers.warm()  # the first upload need not wait for the process that reads
    # Sixty-four may wait: a whole class clicks at once.
    served: tuple[Any, str, str] = demo.queue(max_size=64, api_open=False).launch(
        theme=THEME,
        css=CSS,
        head=HEAD,
        footer_links=["api", "settings"],
        run_history=False,  # runs would stay in the visitor's browser; these are medical images
        enable_monitoring=False,
        ssr_mode=False,
        show_error=False,
        # Its endpoints are tools for language models too, where that package is installed.
        mcp_server=find_spec("mcp") is not None,
        **serving.options(**options),
    )
    return served


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # stopped as by a keyboard
    advance.begin()
    try:
        serve()
    finally:
        serving.close()  # before threads are waited for, which may be in the middle of work

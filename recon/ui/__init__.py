"""The page in the browser: the only part of `recon` that knows Gradio."""

from recon.ui.page import build
from recon.ui.theme import THEME
from recon.ui.web import CSS, HEAD

__all__ = ["CSS", "HEAD", "THEME", "build"]

"""The page in the browser: the only part of `recon` that knows Gradio."""

from recon.ui.page import CSS, THEME, build

__all__ = ["CSS", "THEME", "build"]

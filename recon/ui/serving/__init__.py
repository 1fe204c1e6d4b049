"""The page as a server on an open network: files, sessions, limits and what is reachable."""

from recon.ui.serving.server import checked, close, options, produce, visitor

__all__ = ["checked", "close", "options", "produce", "visitor"]

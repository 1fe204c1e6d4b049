"""The page as a server on an open network: files, sessions, limits and what is reachable."""

from recon.ui.serving.server import checked, options, produce, visitor

__all__ = ["checked", "options", "produce", "visitor"]

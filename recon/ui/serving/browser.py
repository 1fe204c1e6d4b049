"""What passes between us and a browser beside the content: a cookie, and what a page may do."""

from __future__ import annotations

import re
import secrets
from http.cookies import CookieError, SimpleCookie

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import Message, Scope, Send

from recon.ui import private
from recon.ui.serving.uploads import Visitor

COOKIE = "recon-visitor"
# Files of the program, which proxies may keep; and tools, whose uploads come without any cookie.
NO_COOKIE = re.compile(r".*/(assets|static|gradio_api/mcp)(/|$)")

# Gradio starts from scripts inside the page and makes functions of text, hence 'unsafe-*'; what
# the policy still does is keep everything from other hosts out, and everything here from them.
POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval' 'wasm-unsafe-eval' blob:",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "media-src 'self' data: blob:",
        # From elsewhere come the parts of the private mode alone, which the browser checks.
        f"connect-src 'self' data: blob: {' '.join(private.SOURCES)}",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
    )
)


def visitor_of(scope: Scope) -> Visitor:
    """Who asks: known by the cookie, or somebody new."""
    try:
        found = SimpleCookie(Headers(scope=scope).get("cookie", "")).get(COOKIE)
    except CookieError:
        found = None
    if found is not None and 32 <= len(found.value) <= 64 and found.value.isascii():
        return Visitor(found.value, True)
    return Visitor(secrets.token_urlsafe(32), False)


def headers_for(scope: Scope, visitor: Visitor, send: Send, private: bool) -> Send:
    """Send an answer with our headers; a `private` one is kept by no browser or proxy."""

    async def with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers["X-Content-Type-Options"] = "nosniff"
            headers["Referrer-Policy"] = "same-origin"
            if private:
                headers["Cache-Control"] = "private, no-store"
            if headers.get("content-type", "").startswith("text/html"):
                headers["Content-Security-Policy"] = POLICY
            if not visitor.returned and not NO_COOKIE.match(scope["path"]):
                headers.append("Set-Cookie", _cookie(scope, visitor))
        await send(message)

    return with_headers


def _cookie(scope: Scope, visitor: Visitor) -> str:
    """Gone with the browser's session, and out of reach of scripts.

    In a frame on another site, as on Hugging Face, browsers send only cookies that allow it; such
    a cookie stays bound to the site around the frame.
    """
    forwarded = Headers(scope=scope).get("x-forwarded-proto", "")
    secure = scope["scheme"] == "https" or forwarded.startswith("https")
    where = "SameSite=None; Secure; Partitioned" if secure else "SameSite=Lax"
    return f"{COOKIE}={visitor.key}; Path=/; HttpOnly; {where}"

"""Who may ask: the token, the cookie that it is traded for, and where requests come from.

Source: against rebinding, a request for another host's name is refused (Jackson et al., Protecting
Browsers from DNS Rebinding Attacks, CCS 2007); against other pages' requests, one of another origin
(RFC 6454).
"""

from __future__ import annotations

import hmac
import ipaddress
import re
import secrets
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_SAFE = ("GET", "HEAD")
# Colons within an address of IPv6 are in brackets.
_PORT = re.compile(r":\d+$")
_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' blob: data:; "
                               "object-src 'none'; base-uri 'none'; form-action 'self'; "
                               "frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Guard:
    """Lets those through who have opened the address that was printed.

    Args:
        app: what it guards.
        host: that the studio is bound to.
        port: likewise.

    Attributes:
        token: opens the page, as often as anybody likes.
    """

    def __init__(self, app: ASGIApp, *, host: str, port: int):
        self.token = secrets.token_urlsafe(24)
        self._tickets: set[str] = set()
        self._app = app
        self._host, self._port = host, port
        self._secret = secrets.token_urlsafe(32)
        # Cookies of one host are those of all its ports.
        self._cookie = f"tf_style_{port}"

    def ticket(self) -> str:
        """What opens the page once."""
        ticket = secrets.token_urlsafe(24)
        self._tickets.add(ticket)
        return ticket

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        answer = self._refused(scope)
        if answer is None:
            await self._app(scope, receive, _with_headers(send))
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": ""})
        else:
            await answer(scope, receive, _with_headers(send))

    def _refused(self, scope: Scope) -> Response | None:
        """What is answered in place of the studio; `None` for those who may ask."""
        headers = Headers(scope=scope)
        host, origin = headers.get("host", ""), headers.get("origin")
        if not self._is_ours(host):
            return _refusal("this is not the studio's address; use the one that it printed")
        may_change = scope["type"] == "websocket" or scope["method"] not in _SAFE
        if (origin is not None or may_change) and (
                _with_port(origin or "") != _with_port(f"http://{host}")):
            return _refusal("only the studio's own page may ask for this")
        if scope["type"] == "http" and scope["path"] == "/" and (
                token := parse_qs(scope["query_string"].decode("latin-1")).get("token")):
            if not self._opens(token[0]):
                return _refusal("this address is of another studio, or an earlier one; use the "
                                "one that the studio printed when it began")
            response = RedirectResponse("/", 303)
            response.set_cookie(self._cookie, self._secret, httponly=True, samesite="strict")
            return response
        if not self._has_cookie(headers):
            return _refusal("open the address that tf_style_studio printed: it has a token in it")
        return None

    def _opens(self, token: str) -> bool:
        ticket = next((each for each in self._tickets if _same(token, each)), None)
        self._tickets.discard(ticket)
        return ticket is not None or _same(token, self.token)

    def _is_ours(self, host: str) -> bool:
        name, _, port = _with_port(host).rpartition(":")
        if port != str(self._port):
            return False
        name = name.strip("[]").lower()
        if name in ("localhost", self._host.lower()):
            return True
        try:
            found = ipaddress.ip_address(name)
        except ValueError:
            return False
        # No other site can make its own name an address.
        return found.is_loopback or not is_loopback(self._host)

    def _has_cookie(self, headers: Headers) -> bool:
        try:
            cookies = SimpleCookie(headers.get("cookie", ""))
        except CookieError:
            return False
        return self._cookie in cookies and _same(cookies[self._cookie].value, self._secret)


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches what is bound to this host."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _with_port(address: str) -> str:
    """A host, or an origin by HTTP, with the port that browsers leave out."""
    return address if _PORT.search(address) else f"{address}:80"


def _same(given: str, own: str) -> bool:
    return hmac.compare_digest(given.encode(errors="replace"), own.encode())


def _refusal(text: str) -> Response:
    return PlainTextResponse(text + "\n", 403, {"Connection": "close"})


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers[name] = value
            if "cache-control" not in headers:
                headers["Cache-Control"] = "no-store"
        await send(message)

    return sending

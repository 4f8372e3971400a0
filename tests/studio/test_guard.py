"""Nobody gets in but who has the printed address, from the studio's own page."""

import httpx
import pytest

from tests.studio.served import MODEL
from tf_style.studio.guard import Guard, is_loopback


def ask(page, method="GET", path="/api/jobs", headers=None, cookie=True, **given):
    """An answer to a request that has all it needs but for `headers`."""
    own = {"Origin": page.base, **({"Cookie": page.cookie} if cookie else {})}
    merged = {**own, **(headers or {})}
    return httpx.request(method, page.base + path, **given,
                         headers={name: value for name, value in merged.items() if value})


def test_the_token_is_traded_for_a_cookie_that_no_script_reads(page):
    answer = httpx.get(page.studio.address())
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=strict" in cookie and "Path=/" in cookie
    assert page.studio.guard.token not in cookie
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"


def test_a_ticket_opens_the_page_once(page):
    address = page.studio.address(once=True)
    assert page.studio.guard.token not in address
    assert [httpx.get(address).status_code for _ in range(2)] == [303, 403]
    assert httpx.get(page.studio.address()).status_code == 303


@pytest.mark.parametrize("token", ["", "x", "é", "%00", "' OR 1"])
def test_a_wrong_token_opens_nothing(page, token):
    answer = httpx.get(f"{page.base}/", params={"token": token})
    assert answer.status_code == 403 and answer.text.count("\n") == 1
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("cookie", ["", "tf_style_1=x", "{name}=x", "{name}=", "=;=;", "\xff"])
@pytest.mark.parametrize("path", ["/", "/page/index.html", "/api/form", "/api/jobs", "/nothing"])
def test_without_the_cookie_nothing_is_shown(page, path, cookie):
    name = page.cookie.partition("=")[0]
    answer = ask(page, path=path, cookie=False,
                 headers={"Cookie": cookie.format(name=name).encode("latin-1")})
    assert answer.status_code == 403
    assert answer.text == ("open the address that tf_style_studio printed: it has a token in it\n")


@pytest.mark.parametrize("host", ["evil.example", "evil.example:{port}", "127.0.0.1",
                                  "127.0.0.1:1", "10.0.0.1:{port}", "localhost.evil:{port}", "["])
def test_another_hosts_name_is_refused(page, host):
    """A site may make its own name lead here."""
    host = host.format(port=page.studio.port)
    assert ask(page, headers={"Host": host, "Origin": f"http://{host}"}).status_code == 403
    assert ask(page, path=f"/?token={page.studio.guard.token}",
               headers={"Host": host, "Origin": None}).status_code == 403


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1",
                                    "https://127.0.0.1:{port}", "http://127.0.0.1:{port}.evil"])
def test_another_pages_requests_are_refused(page, origin):
    origin = origin.format(port=page.studio.port)
    for method, path in (("GET", "/api/jobs"), ("POST", "/api/jobs"), ("DELETE", "/api/jobs"),
                         ("POST", "/api/pictures")):
        assert ask(page, method, path, {"Origin": origin}).status_code == 403


def test_what_changes_something_says_where_it_comes_from(page):
    for method in ("POST", "DELETE", "PUT", "PATCH", "OPTIONS"):
        assert ask(page, method, headers={"Origin": None}).status_code == 403
    assert ask(page, headers={"Origin": None}).status_code == 200
    data = {"content": "sample:harbor", "styles": [], "options": MODEL}
    assert ask(page, "POST", json=data).status_code == 201


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "127.9.9.9", "[::1]"])
def test_this_machine_has_several_names(page, name):
    host = f"{name}:{page.studio.port}"
    assert ask(page, headers={"Host": host, "Origin": f"http://{host}"}).status_code == 200


def test_answers_keep_others_out(page):
    for path in ("/", "/api/form", "/nothing"):
        headers = ask(page, path=path).headers
        assert headers["content-security-policy"].startswith("default-src 'self'; img-src 'self'")
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("given", [
    {"origin": "http://evil.example"}, {"origin": None}, {"additional_headers": {}},
    {"additional_headers": {"Cookie": "x=y"}},
])
@pytest.mark.parametrize("path", ["/api/events", "/api/camera", "/nothing"])
def test_sockets_of_others_are_refused(page, given, path):
    from websockets.exceptions import InvalidStatus

    with pytest.raises(InvalidStatus) as raised, page.events(path, **given):
        pass
    assert raised.value.response.status_code == 403


def test_where_it_listens_for_others_it_is_asked_by_address():
    """No site can make its own name an address; other names are not the studio's."""
    guard = Guard(None, host="0.0.0.0", port=8150)
    assert guard._is_ours("192.168.1.7:8150") and guard._is_ours("localhost:8150")
    assert not guard._is_ours("evil.example:8150") and not guard._is_ours("192.168.1.7:80")
    assert not Guard(None, host="127.0.0.1", port=8150)._is_ours("192.168.1.7:8150")
    assert Guard(None, host="mine.example", port=8150)._is_ours("mine.example:8150")


def test_browsers_leave_the_usual_port_out():
    guard = Guard(None, host="127.0.0.1", port=80)
    cookie = f"{guard._cookie}={guard._secret}"

    def refused(host, origin):
        headers = {"host": host, "origin": origin, "cookie": cookie}
        return guard._refused({
            "type": "http", "method": "POST", "path": "/api/jobs",
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()]})

    for name in ("127.0.0.1", "localhost", "[::1]"):
        assert refused(name, f"http://{name}") is None
        assert refused(f"{name}:80", f"http://{name}") is None
        assert refused(f"{name}:80", f"http://{name}:80") is None
        assert refused(name, f"http://{name}:81") and refused(f"{name}:81", f"http://{name}:81")
        assert refused(name, f"https://{name}") and refused(name, "null")
    assert refused("evil.example", "http://evil.example") and refused("", "http://")


def test_what_is_loopback():
    assert all(map(is_loopback, ("127.0.0.1", "127.1.2.3", "::1", "localhost")))
    assert not any(map(is_loopback, ("0.0.0.0", "::", "192.168.0.1", "mine.example", "")))

"""Which addresses may be told: every way to write one that leads into the server's own network is refused."""

from __future__ import annotations

import pytest

from jobs.webhooks.address import BadAddress, allows, check, host_of, port_of

GOOD = (
    "https://example.org/told",
    "https://hooks.example.org:8443/a/b?c=d",
    "https://EXAMPLE.org",
    "https://example.org.",
    "https://xn--bcher-kva.example.org/",
    "https://93.184.215.14/",
    "https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]/",
    " https://example.org/spaces-around ",
)
BAD = {
    # The scheme and the form.
    "": "1 to 500 characters",
    "example.org/told": "https://",
    "http://example.org/": "https://",
    "ftp://example.org/": "https://",
    "file:///etc/passwd": "https://",
    "gopher://example.org/": "https://",
    "//example.org/": "https://",
    "https:///path": "a name such as",
    "https://example.org/#part": "after #",
    "https://example.org/#": "after #",
    "https://user@example.org/": "user name",
    "https://user:pass@example.org/": "user name",
    "https://example.org@127.0.0.1/": "user name",
    "https://127.0.0.1\\@example.org/": "backslashes",
    "https://example.org/a b": "no spaces",
    "https://example.org/\r\nHost: 127.0.0.1": "no spaces",
    "https://bücher.example.org/": "ASCII",
    "https://①②⑦.⓪.⓪.①/": "ASCII",
    "https://example。org/": "ASCII",
    f"https://example.org/{'a' * 500}": "1 to 500 characters",
    # Ports.
    "https://example.org:22/": "8443",
    "https://example.org:25/": "8443",
    "https://example.org:80/": "8443",
    "https://example.org:6379/": "8443",
    "https://example.org:0/": "1 to 65535",
    "https://example.org:99999/": "not a webhook address",
    "https://example.org:x/": "not a webhook address",
    # This machine.
    "https://localhost/": "a name such as",
    "https://localhost./": "a name such as",
    "https://LOCALHOST/": "a name such as",
    "https://a.localhost/": "on the Internet",
    "https://127.0.0.1/": "on the Internet",
    "https://127.0.0.1./": "a name such as",
    "https://127.1/": "a name such as",
    "https://2130706433/": "a name such as",
    "https://017700000001/": "a name such as",
    "https://0177.0.0.1/": "a name such as",
    "https://0x7f000001/": "a name such as",
    "https://0x7f.0.0.1/": "a name such as",
    "https://0x7f.1/": "a name such as",
    "https://127.0.0x1/": "a name such as",
    "https://0/": "a name such as",
    "https://0.0.0.0/": "on the Internet",
    "https://[::1]/": "on the Internet",
    "https://[::]/": "on the Internet",
    "https://[0:0:0:0:0:0:0:1]/": "on the Internet",
    "https://[::ffff:127.0.0.1]/": "on the Internet",
    "https://[::ffff:7f00:1]/": "on the Internet",
    "https://[::127.0.0.1]/": "on the Internet",
    "https://[64:ff9b::7f00:1]/": "on the Internet",
    "https://[2002:7f00:1::]/": "on the Internet",
    # Its network, and what clouds keep there.
    "https://10.0.0.1/": "on the Internet",
    "https://172.16.0.1/": "on the Internet",
    "https://192.168.1.1/": "on the Internet",
    "https://100.64.0.1/": "on the Internet",
    "https://169.254.169.254/latest/meta-data": "on the Internet",
    "https://[fd00:ec2::254]/": "on the Internet",
    "https://[fe80::1]/": "on the Internet",
    "https://[fe80::1%25eth0]/": "on the Internet",
    "https://[fec0::1]/": "on the Internet",
    "https://224.0.0.1/": "on the Internet",
    "https://[ff02::1]/": "on the Internet",
    "https://240.0.0.1/": "on the Internet",
    "https://255.255.255.255/": "on the Internet",
    "https://printer/": "a name such as",
    "https://printer.local/": "on the Internet",
    "https://metadata.google.internal/": "on the Internet",
    "https://db.corp./": "on the Internet",
    "https://-a.example.org/": "a name such as",
    "https://a..example.org/": "a name such as",
    "https://[::1/": "not a webhook address",
}


@pytest.mark.parametrize("url", GOOD)
def test_what_leads_to_the_internet_passes(url: str) -> None:
    assert check(url, "public") == url.strip()


@pytest.mark.parametrize("url", BAD)
def test_everything_else_is_refused_in_words(url: str) -> None:
    with pytest.raises(BadAddress) as refused:
        check(url, "public")
    assert BAD[url] in str(refused.value)


def test_the_operator_may_allow_the_own_network_or_nothing() -> None:
    for url in ("http://127.0.0.1:9000/x", "https://localhost/", "http://receiver:80/", "https://192.168.1.1:444/"):
        assert check(url, "private") == url
    for url in ("https://169.254.169.254/", "http://user@localhost/", "ftp://localhost/", "https://a/#b"):
        with pytest.raises(BadAddress):
            check(url, "private")
    with pytest.raises(BadAddress, match="ONLYBN_WEBHOOKS=off"):
        check("https://example.org/", "off")


def test_what_a_name_may_lead_to() -> None:
    own = ("127.0.0.1", "127.255.0.1", "::1", "10.1.2.3", "172.31.0.1", "192.168.0.1", "fd00::1")
    never = (
        *("0.0.0.0", "169.254.169.254", "100.64.0.1", "224.0.0.1", "255.255.255.255", "198.18.0.1", "192.0.2.1"),
        *("::", "fe80::1", "fe80::1%eth0", "ff02::1", "fec0::1", "::ffff:8.8.8.8", "::ffff:127.0.0.1", "nonsense"),
        *("64:ff9b::808:808", "2002:808:808::", "2001:0:1::", "2001:db8::1"),
    )
    for address in own:
        assert not allows(address, "public") and allows(address, "private") and allows(address, "private", "http")
    for address in never:
        assert not allows(address, "public") and not allows(address, "private")
    for address in ("93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"):
        assert allows(address, "public") and allows(address, "private")
        assert not allows(address, "private", "http"), "without TLS only within the own network"
        assert not allows(address, "off")


def test_parts_of_an_address() -> None:
    assert host_of("https://Hooks.Example.org:8443/secret") == "hooks.example.org"
    assert [port_of(url) for url in ("https://a.org", "http://a.org", "https://a.org:8443")] == [443, 80, 8443]

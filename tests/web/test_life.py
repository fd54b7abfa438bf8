"""A reader from the first visit to the last mail, through a real mail server; and what a mail
scanner does to them, which is nothing."""

import json
import re
from datetime import UTC, datetime
from email import message_from_bytes, policy
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa

from digest.config import load, secret_keys
from digest.models import State
from digest.store import Store, url_of
from tests.mailservers import Keeper, real_server
from tests.web.conftest import Pages

EVE = "eve@new.example"
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"


@pytest.fixture
def keeper(monkeypatch):
    """A real mail server, which the project's mail goes through."""
    keeper = Keeper()
    with real_server(keeper) as port:
        for name, value in {
            "DELIVERY__PROVIDER": "smtp",
            "SMTP__HOST": "127.0.0.1",
            "SMTP__PORT": str(port),
            "SMTP__SECURITY": "none",
        }.items():
            monkeypatch.setenv(f"DIGEST_{name}", value)
        yield keeper


@pytest.fixture
def counted(monkeypatch):
    """Links of mails are counted."""
    monkeypatch.setenv("DIGEST_STATS__CLICKS", "true")


@pytest.fixture
def pages(project, run, keeper):
    """The pages of a newsletter that has readers already; commands and pages share its store."""
    run("subscribers", "import", "subscribers/list.csv", "--consent", "they asked", "-q")
    config = load(project.root / "digest.toml")
    with Store.open(url_of("", project.root), secret_keys(config)) as store:
        found = Pages(config, store)
        yield found
        found.site.close()


def mails_to(keeper, address=EVE):
    parsed = (message_from_bytes(raw, policy=policy.default) for raw in keeper.messages)
    return [mail for mail in parsed if address in mail["To"]]


def text(mail):
    return next(mail.iter_parts()).get_content().replace("\r\n", "\n")


def path(url):
    return urlsplit(url).path


def link_in(mail, letter):
    return path(re.search(rf"https://news\.example\.com/{letter}/\S+", text(mail))[0])


def send(run, when):
    """Plan and send the weekly issue that is due then; its id."""
    plan = json.loads(run("plan", "--json", "--at", when).out)
    issue = plan["issue"]["id"] if isinstance(plan["issue"], dict) else plan["issue"]
    sent = run("send", issue, "--confirm", str(plan["readers"]))
    assert sent.code == 0, sent.err
    return issue


def test_the_whole_life_of_a_reader(project, run, keeper, pages):
    pages.clock.at = datetime(2026, 10, 28, tzinfo=UTC)
    project.post("rail", tags="#k8s", published="2026-10-27")
    project.post("chart", tags="#accessibility", published="2026-10-27")
    project.post("grid", tags="#accessibility", published="2026-11-03")
    project.post("pods", tags="#k8s", published="2026-11-03")
    project.post("focus", tags="#k8s #ai", published="2026-11-10")
    wanted = {"email": EVE, "what": "topics", "tag": ["accessibility"], "cadence": "weekly"}
    pages.fill("/", **wanted)
    pages.site.mail.flush()
    (confirmation,) = mails_to(keeper)
    assert "You are in" in pages.post(link_in(confirmation, "c"), do="confirm").text

    send(run, "2026-10-30")
    _, first = mails_to(keeper)
    assert "About chart" in text(first)
    assert "About rail" not in text(first)

    preferences = link_in(first, "p").partition("#")[0]
    choice = {"what": "topics", "tag": ["kubernetes"], "cadence": "weekly", "do": "save"}
    assert pages.post(preferences, **choice).status_code == 303
    send(run, "2026-11-06")
    *_, second = mails_to(keeper)
    assert "About pods" in text(second)
    assert "About grid" not in text(second)

    one_click = path(second["List-Unsubscribe"].strip("<>"))
    assert second["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert pages.post(one_click, **{"List-Unsubscribe": "One-Click"}).status_code == 200
    project.write("again.csv", f"email,tags\n{EVE},accessibility\n")
    again = run("subscribers", "import", "again.csv", "--consent", "an old list")
    assert "never brought back" in again.out + again.err
    before = len(keeper.messages)
    send(run, "2026-11-13")

    assert len(keeper.messages) > before  # others got it
    assert len(mails_to(keeper)) == 3
    assert pages.store.subscriptions.find(EVE).state is State.UNSUBSCRIBED


def rows(store):
    """Everything in the database."""
    with store.database.reading() as connection:
        names = sorted(sa.inspect(connection).get_table_names())
        return {
            name: sorted(map(repr, connection.execute(sa.text(f'SELECT * FROM "{name}"'))))
            for name in names
        }


def scanned(run, keeper, pages):
    """Every kind of mail there is, sent; the links to our pages in all of them."""
    pages.fill("/", email=EVE, what="everything", cadence="weekly")
    pages.fill("/link", email="bo@example.com")
    ana = pages.store.subscriptions.find("ana@example.com")
    from digest.web import asking

    asking.for_own_data(pages.site, ana.subscriber)
    asking.to_move(pages.site, ana, "ana@new.example")
    pages.site.mail.flush()
    send(run, "2026-11-20")
    links = set()
    for raw in keeper.messages:
        mail = message_from_bytes(raw, policy=policy.default)
        parts = [part.get_content() for part in mail.iter_parts()]
        for words in (mail["List-Unsubscribe"] or "", *parts):
            links |= set(re.findall(r"https://news\.example\.com/[^\s\"<>]+", words))
    return sorted(links)


def follow_all(pages, links):
    """What a scanner does; the kinds of pages that it saw."""
    for link in links:
        for method in ("GET", "HEAD"):
            answer = pages.client.request(method, link, headers={"user-agent": BROWSER})
            assert answer.status_code in (200, 302), link
            assert answer.headers["referrer-policy"] == "no-referrer"
    return {path(link)[1] for link in links}


def test_a_scanner_that_follows_every_link_of_every_mail_changes_no_row(run, keeper, pages):
    links = scanned(run, keeper, pages)
    before = rows(pages.store)

    letters = follow_all(pages, links)

    assert letters >= set("cpudmif")
    assert "g" not in letters
    assert rows(pages.store) == before


def test_a_scanner_changes_no_row_but_the_counts_of_machines(counted, run, keeper, pages):
    links = scanned(run, keeper, pages)
    before = rows(pages.store)

    letters = follow_all(pages, links)
    assert letters >= set("cpudmifg")
    assert rows(pages.store) == before  # as long as nothing has waited long enough

    pages.site.close()
    after = rows(pages.store)
    assert {name for name in after if after[name] != before[name]} == {"click_count"}
    counts = [one.clicks for one in pages.store.links.of("weekly-2026-11-19")]
    assert {one.people for one in counts} == {0}
    assert sum(one.machines for one in counts) == sum("/g/" in link for link in links)


def test_a_link_of_a_mail_is_followed_and_told(counted, run, keeper, pages, project):
    project.write("list.csv", "email,tags\n" + "".join(f"r{n}@example.com,*\n" for n in range(12)))
    run("subscribers", "import", "list.csv", "--consent", "they asked")
    issue = send(run, "2026-11-20")
    mail = mails_to(keeper, "r1@example.com")[0]
    html = mail.get_body(("html",)).get_content()
    (link,) = set(re.findall(rf'href="(https://[^"]+/g/{issue}/[^"]+)"[^>]*>About agents<', html))

    answer = pages.client.get(link, headers={"user-agent": BROWSER})
    pages.site.close()

    assert answer.headers["location"] in text(mail)  # which shows where links lead
    assert f"/g/{issue}/" not in text(mail)
    assert "/g/" not in pages.client.get(link_in(mail, "i")).text  # nor in a browser
    told = json.loads(run("stats", issue, "--json").out)["issues"][0]["clicks"]
    assert (told["people"], told["machines"]) == (1, 0)
    (followed,) = [one for one in told["links"] if one["people"]]
    assert followed["url"] == answer.headers["location"]
    assert "About agents" in run("stats", issue).out.partition("by story")[2]

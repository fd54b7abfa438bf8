"""Who may ask the studio, what it answers, and what a page of it may do."""

import email
from dataclasses import replace
from email import policy

import pytest
from starlette.testclient import TestClient

from digest.studio.bell import Bell
from digest.studio.panels.headers import told
from digest.studio.site import application
from digest.studio.workshop import Workshop
from tests.project import POST
from tests.studio.conftest import HOST

TODO = POST.format(title="About TODO", published="2026-11-18", slug="todo", tags="#ai")


def view(client, **query):
    answer = client.get("/view", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "evil.example:4747", ""]
)
def test_a_foreign_name_for_this_machine_is_refused(client, host):
    assert client.get("/view", headers={"Host": host}).status_code == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
@pytest.mark.parametrize("path", ["/", "/view", "/mail", "/events", "/source", "/studio.js"])
def test_another_sites_page_is_refused(client, site, path):
    assert client.get(path, headers={"Sec-Fetch-Site": site}).status_code == 403


@pytest.mark.parametrize("origin", [None, "null", "http://evil.example", "http://127.0.0.1:1"])
def test_only_the_studios_own_page_may_send_a_test(client, origin):
    headers = {"Origin": origin} if origin else {}

    answer = client.post("/test-send", json={"to": "you@example.com"}, headers=headers)

    assert answer.status_code == 403


def test_the_page_may_ask_nobody_but_the_studio(client):
    policy = client.get("/").headers["content-security-policy"]

    assert "default-src 'none'" in policy
    assert "http" not in policy.replace("http-equiv", "")
    assert "unsafe" not in policy


def test_the_mail_in_its_frame_may_do_nothing(client):
    policy = client.get("/mail").headers["content-security-policy"]

    assert policy.startswith("sandbox allow-same-origin; default-src 'none'")
    assert "script" not in policy


@pytest.mark.parametrize("path", ["/", "/studio.css", "/studio.js"])
def test_the_page_is_one_html_one_style_sheet_and_one_script(client, path):
    answer = client.get(path)

    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"


def test_the_view_says_which_stories_are_in_and_why_the_others_are_out(client):
    stories = view(client)["stories"]

    assert [(one["title"], one["why"]) for one in stories["in"]] == [
        ("About agents", "#ai #python")
    ]
    assert {(one["title"], one["why"]) for one in stories["out"]} == {
        ("About ferry", "no tag matched"),
        ("About tables", "no tag matched"),
    }


@pytest.mark.parametrize("issue", ["weekly-9999-12-31", "monthly-0001-01-01", "daily-9999-12-30"])
def test_an_issue_at_the_end_of_time_is_no_failure(client, issue):
    assert client.get(f"/view?issue={issue}").json()["issue"]["id"] == "weekly-2026-11-19"


def test_every_story_is_told_with_its_file_and_line(client):
    assert view(client)["stories"]["in"][0]["place"] == "content/agents.md:8"


def test_the_parts_of_the_size_are_the_whole_of_it(client):
    size = view(client, **{"as": "tags:*"})["mail"]["size"]

    assert sum(part["bytes"] for part in size["parts"]) == size["html"]
    assert len(client.get("/source?as=tags:*&format=html").content) == size["html"]


def test_every_header_is_told_as_it_leaves_and_ours_are_right(client):
    headers = view(client)["mail"]["headers"]
    message = email.message_from_string(
        client.get("/source?format=eml").text, policy=policy.default
    )

    assert [one["name"] for one in headers] == list(message.keys())
    assert {one["verdict"] for one in headers} <= {"ok", ""}


@pytest.mark.parametrize(
    ("settings", "line", "name", "verdict", "said"),
    [
        ({"sender": "ana@gmail.com"}, b"", "From", "wrong", "gmail.com sends no newsletters"),
        ({"sender": "no-reply@example.com", "reply_to": ""}, b"", "From", "look", "nobody reads"),
        ({"reply_to": "noreply@example.com"}, b"", "Reply-To", "look", "nobody reads"),
        ({"base_url": "https://news.example.org"}, b"", "List-Unsubscribe", "look", "beside"),
        ({}, b"Subject", "Subject", "wrong", "no subject"),
        ({}, b"List-Id", "List-Id", "wrong", "no list-id"),
        ({}, b"List-Unsubscribe-Post", "List-Unsubscribe-Post", "wrong", "RFC 8058"),
        ({}, b"Message-ID", "Message-ID", "wrong", "no message-id"),
        ({}, b"Date", "Date", "wrong", "no date"),
    ],
)
def test_what_the_checks_find_in_a_header_is_told_of_its_field(
    client, opening, settings, line, name, verdict, said
):
    newsletter = replace(opening.load().newsletter, **{"reply_to": "ana@example.com", **settings})
    raw = client.get("/source?format=eml").content
    kept = [one for one in raw.split(b"\r\n") if not line or not one.startswith(line + b":")]
    raw = b"\r\n".join([b"Reply-To: ana@example.com", *kept])
    fields = list(email.message_from_bytes(raw, policy=policy.default).items())

    (one,) = (one for one in told(fields, raw, newsletter) if one["name"] == name)
    assert one["verdict"] == verdict
    assert said in one["note"]


def test_every_link_is_told_with_its_story(client):
    links = view(client)["mail"]["links"]

    assert {"https://blog.example.com/agents/", "https://example.com/agents"} <= {
        one["url"] for one in links
    }
    assert {one["story"] for one in links} == {"agents", ""}


def test_every_program_has_a_verdict_and_no_score(client):
    told = view(client)["mail"]["clients"]

    assert {"Gmail, web", "Outlook, Windows", "Apple Mail, iOS"} <= {
        c["name"] for c in told["clients"]
    }
    assert {one["verdict"] for one in told["clients"]} <= {"as designed", "graceful"}
    assert told["updated"] >= "2026"


def test_the_checks_of_digest_check_are_told_with_their_reasons(client, project, workshop):
    workshop.changed([project.write("content/todo.md", TODO)])
    told = client.get("/checks").json()
    (found,) = [one for one in told["findings"] if "TODO" in one["message"]]

    assert found["path"] == "content/todo.md"
    assert told["rules"][found["check"]]["why"]


def test_changes_since_the_last_issue_are_told(client, project, workshop):
    before = client.get("/changes").json()
    post = project.root / "content" / "agents.md"
    post.write_text(post.read_text().replace("The second thing", "The third thing"))
    workshop.changed([post])

    assert before["issue"] == ""  # the issue of the 12th holds no post
    saved = client.get("/changes").json()["saved"]
    assert [line["kind"] for line in saved if "thing" in line["text"]].count("new") == 1


def test_sources_are_told_as_they_are(client):
    assert client.get("/source?format=mjml").text.startswith("<mjml")
    assert client.get("/source?format=text").headers["content-type"].startswith("text/plain")
    assert "About agents" in client.get("/source?format=text").text


def test_a_reader_who_gets_nothing_has_no_mail(client):
    assert view(client, **{"as": "nobody"})["mail"] is None


def test_a_failure_says_what_where_and_what_to_do(client, project, workshop):
    workshop.changed(
        [project.write("templates/story.mjml", "<mj-text>\n{{ story.nam }}</mj-text>")]
    )
    answer = client.get("/view")

    assert answer.status_code == 422
    error = answer.json()["error"]
    assert (error["path"], error["line"]) == ("templates/story.mjml", 2)
    assert "no `nam`" in error["message"]


def test_a_test_is_mailed_to_the_address_that_was_typed(client, project):
    answer = client.post(
        "/test-send?as=ana", json={"to": "you@example.com"}, headers={"Origin": HOST}
    )

    assert answer.json()["said"].startswith("handed to outbox")
    (message,) = (project.root / "outbox").rglob("*.eml")
    parsed = email.message_from_bytes(message.read_bytes(), policy=policy.default)
    assert parsed["Subject"] == "[TEST] About agents"
    assert parsed["To"] == "you@example.com"


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"to": "no address"}'])
def test_a_test_without_an_address_is_refused(client, project, body):
    answer = client.post("/test-send", content=body, headers={"Origin": HOST})

    assert answer.status_code == 422
    assert not (project.root / "outbox").exists()


def test_get_sends_nothing(client):
    assert client.get("/test-send").status_code == 405


def test_editions_are_counted_only_where_readers_were_asked_for(client):
    assert client.get("/editions").json() == {"readers": 0, "editions": []}


def test_text_from_a_post_cannot_become_markup_in_the_page(opening, project):
    project.post("sly", title="<script>alert(1)</script>", published="2026-11-18")
    client = TestClient(application(Workshop(replace(opening)), Bell()), base_url=HOST)

    assert "<script>alert" not in client.get("/mail?as=tags:*").text
    assert client.get("/view?as=tags:*").headers["content-type"] == "application/json"

"""Mails that came back: what each says, and of which delivery; nothing in one stops the others."""

import mailbox
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.bounces import Said, mails, understand
from digest.events import Cause, Kind

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
DELIVERY = "abcdefghij234567abcd"


def status_report(
    delivery: str = DELIVERY,
    *,
    action: str = "failed",
    status: str = "5.1.1",
    to: str = "bounces+{}@example.com",
    words: str = "550 5.1.1 <ana@example.org>: no such user",
    name: str = "<dsn-1@mx.example.org>",
) -> bytes:
    """A bounce as Postfix writes it."""
    return f"""\
From: MAILER-DAEMON@mx.example.org
To: {to.format(delivery)}
Subject: Undelivered Mail Returned to Sender
Message-ID: {name}
Date: Thu, 19 Nov 2026 10:00:00 +0000
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

I'm sorry to have to inform you that your message could not be delivered.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.org
Arrival-Date: Thu, 19 Nov 2026 09:59:00 +0000

Final-Recipient: rfc822; ana@example.org
Action: {action}
Status: {status}
Diagnostic-Code: smtp; {words}

--b
Content-Type: text/rfc822-headers

From: news@example.com
Message-ID: <{delivery}@example.com>

--b--
""".encode()


def complaint(delivery: str = DELIVERY, kind: str = "abuse") -> bytes:
    """A complaint as Yahoo sends it."""
    return f"""\
From: feedback@arf.mail.yahoo.com
To: fbl@example.com
Subject: FW:
Message-ID: <arf-1@arf.mail.yahoo.com>
Date: Thu, 19 Nov 2026 11:00:00 +0000
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="b"

--b
Content-Type: text/plain

This is an email abuse report.

--b
Content-Type: message/feedback-report

Feedback-Type: {kind}
User-Agent: Yahoo!-Mail-Feedback/2.0
Version: 1
Original-Rcpt-To: ana@example.org

--b
Content-Type: message/rfc822

From: news@example.com
Message-ID: <{delivery}@example.com>
Subject: Hello

Hi
--b--
""".encode()


QMAIL = f"""\
From: MAILER-DAEMON@old.example.org
To: bounces+{DELIVERY}@example.com
Subject: failure notice
Date: Thu, 19 Nov 2026 10:00:00 +0000

Hi. This is the qmail-send program at old.example.org.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<ana@example.org>:
Sorry, no mailbox here by that name. (#5.1.1)

--- Below this line is a copy of the message.

""".encode()


def test_a_delivery_status_says_what_became_of_which_delivery():
    report = understand(status_report(), NOW)

    assert (report.said, report.deliveries, report.status) == (Said.BOUNCED, (DELIVERY,), "5.1.1")
    assert report.reason == "550 5.1.1 <<address>>: no such user"
    assert report.at == datetime(2026, 11, 19, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("action", "status", "kind", "cause"),
    [
        ("failed", "5.1.1", Kind.BOUNCED, Cause.MAILBOX),
        ("failed", "5.2.1", Kind.BOUNCED, Cause.MAILBOX),
        ("failed", "5.2.2", Kind.BOUNCED, Cause.UNCLEAR),
        ("failed", "5.7.1", Kind.BOUNCED, Cause.SENDER),
        ("failed", "5.1.8", Kind.BOUNCED, Cause.SENDER),
        ("failed", "4.4.7", Kind.BLOCKED, Cause.UNCLEAR),
        ("FAILED", "5.1.10 (undeliverable)", Kind.BOUNCED, Cause.MAILBOX),
        ("delayed", "4.4.1", Kind.DEFERRED, Cause.UNCLEAR),
        ("delivered", "2.0.0", Kind.DELIVERED, Cause.UNCLEAR),
    ],
)
def test_actions_and_codes_become_events(action, status, kind, cause):
    event = understand(status_report(action=action, status=status), NOW).event("d", "a@example.org")

    assert (event.kind, event.cause, event.delivery, event.address) == (
        kind,
        cause,
        "d",
        "a@example.org",
    )


def test_a_complaint_names_the_delivery_by_the_message_it_quotes():
    report = understand(complaint(), NOW)

    assert (report.said, report.deliveries) == (Said.COMPLAINED, (DELIVERY,))


@pytest.mark.parametrize(
    ("kind", "said"),
    [("fraud", Said.COMPLAINED), ("opt-out", Said.UNSUBSCRIBED), ("not-spam", Said.OTHER)],
)
def test_feedback_types_are_told_apart(kind, said):
    assert understand(complaint(kind=kind), NOW).said is said


def test_a_bounce_that_follows_no_standard_is_recognised_and_only_counted():
    report = understand(QMAIL, NOW)

    assert (report.said, report.deliveries) == (Said.BOUNCED, (DELIVERY,))
    assert report.event(DELIVERY, "x@example.org").cause is Cause.UNCLEAR


def test_an_automatic_reply_is_no_bounce():
    mail = b"From: ana@example.org\nAuto-Submitted: auto-replied\nSubject: Away\n\nI am away.\n"

    assert understand(mail, NOW).said is Said.OTHER


def test_the_address_it_came_to_counts_before_what_it_quotes():
    other = "b" * 20
    mail = status_report().replace(f"<{DELIVERY}@".encode(), f"<{other}@".encode())

    assert understand(mail, NOW).deliveries == (DELIVERY, other)


def test_a_mail_has_one_name_however_often_it_is_read():
    names = {understand(status_report(), NOW + timedelta(days=n)).name for n in range(3)}

    assert len(names) == 1
    assert understand(status_report(name="<other@x>"), NOW).name not in names


@pytest.mark.parametrize("date", ["", "yesterday", "Thu, 19 Nov 2199 10:00:00 +0000"])
def test_a_moment_that_cannot_be_is_now(date):
    mail = status_report().replace(b"Thu, 19 Nov 2026 10:00:00 +0000", date.encode())

    assert understand(mail, NOW).at == NOW


@given(st.binary(max_size=400) | st.text(max_size=200).map(lambda text: text.encode()))
def test_no_mail_is_too_strange(junk):
    for raw in (junk, status_report()[:300] + junk, complaint().replace(b"abuse", junk)):
        try:
            understand(raw, NOW)
        except ValueError:
            continue


def test_mails_are_read_from_files_mboxes_maildirs_and_folders(tmp_path: Path):
    one, two = status_report(), complaint()
    (tmp_path / "one.eml").write_bytes(one)
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "a.eml").write_bytes(one)
    (folder / "b.eml").write_bytes(two)
    maildir = mailbox.Maildir(tmp_path / "maildir")
    mbox = mailbox.mbox(tmp_path / "mbox")
    for raw in (one, two):
        maildir.add(raw)
        mbox.add(raw)
    mbox.close()

    found = {
        name: [understand(raw, NOW).said for raw in mails(tmp_path / name)]
        for name in ("one.eml", "folder", "maildir", "mbox")
    }

    assert found["one.eml"] == [Said.BOUNCED]
    assert found["folder"] == found["mbox"] == [Said.BOUNCED, Said.COMPLAINED]
    assert sorted(found["maildir"]) == [Said.BOUNCED, Said.COMPLAINED]

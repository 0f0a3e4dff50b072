"""Mail says its body once, and hands on what is attached."""

from email.message import EmailMessage

import pytest

from indexing.convert.dispatch import Options, convert
from indexing.convert.mail import convert_eml, convert_mbox
from tests.indexing.convert.made import mail, samples

BODY = "The ferry leaves at nine."


def _alternative(plain: str, html: str) -> EmailMessage:
    message = mail()
    message.set_content(plain)
    message.add_alternative(html, subtype="html")
    return message


def test_the_html_is_read_where_the_plain_part_is_a_stub():
    long = f"<p>{BODY} It comes back at noon, calls at Hooge and at Langeness, and takes forty cars each way.</p>"
    assert BODY in convert_eml(bytes(_alternative("Please view as HTML\n", long))).text
    assert BODY in convert_eml(bytes(_alternative("\n", f"<p>{BODY}</p>"))).text


def test_alternatives_say_it_once():
    message = _alternative(f"{BODY}\n", f"<p>{BODY}</p>")
    message.add_alternative(f"<html amp4email><p>{BODY}</p></html>", subtype="x-amp-html")
    message.add_alternative(f"BEGIN:VEVENT\nSUMMARY:{BODY}\nEND:VEVENT\n", subtype="calendar")
    message.get_payload()[1].add_related(b"\x89PNG", maintype="image", subtype="png", cid="<x>")
    page = convert_eml(bytes(message))
    assert page.text.count(BODY) == 1
    assert not page.parts


def test_an_invitation_alone_is_read():
    message = mail()
    message.set_content(
        "BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:Tides\nDTSTART:20240501T090000Z\nEND:VEVENT\nEND:VCALENDAR\n",
        subtype="calendar",
    )
    assert convert_eml(bytes(message)).text.endswith("What: Tides\nBegins: 2024-05-01 09:00 UTC")


@pytest.mark.parametrize("encode", [lambda data: data.decode().encode("utf-16"), lambda data: b"\xef\xbb\xbf" + data])
def test_files_with_byte_order_marks_are_mail(encode):
    message = mail()
    message.set_content(BODY)
    page = convert_eml(encode(bytes(message)))
    assert page.title == "Ferry"
    assert BODY in page.text


def test_a_named_body_part_is_a_body():
    raw = b"Subject: F\nMIME-Version: 1.0\nContent-Type: text/plain; name=body.txt\n\n" + BODY.encode()
    assert BODY in convert_eml(raw).text


def test_a_message_inside_is_read_with_its_headers():
    inner = mail("Inner")
    inner.set_content(BODY)
    outer = mail("Outer")
    outer.set_content("See below.")
    outer.add_attachment(inner)
    page = convert_eml(bytes(outer))
    assert [heading for _, _, heading in page.headings] == ["Outer", "Inner"]
    assert BODY in page.text


def test_attachments_are_documents_of_their_own_at_any_depth():
    inner = mail("Inner")
    inner.set_content("x")
    inner.add_attachment(b"a;b\n1;2\n", maintype="text", subtype="csv", filename="../beds.csv")
    archive = samples()["a.zip"]
    outer = mail("Outer")
    outer.set_content(BODY)
    outer.add_attachment(archive, maintype="application", subtype="zip", filename="all.zip")
    outer.add_attachment(bytes(inner), maintype="application", subtype="octet-stream", filename="old.eml")
    outer.add_attachment(b"\0\1\2", maintype="application", subtype="octet-stream", filename="raw.bin")
    pages = convert(bytes(outer), ".eml", Options(archives=True))
    assert [page.name for page in pages] == [
        *(None, "all.zip", "all.zip > notes/a.txt", "old.eml", "old.eml > beds.csv")
    ]
    assert pages[0].notes == ["attachment not read: raw.bin"]
    assert len(convert(bytes(outer), ".eml", Options(attachments=False))) == 1


def test_a_mailbox_is_read_message_by_message():
    first, second = mail("One"), mail("Two")
    first.set_content("The deposit is 2,000 euros.")
    second.set_content("The rent is 950 euros.\n>From the office")
    start = b"From a@example.org Mon Jan  1 00:00:00 2024\n"
    page = convert_mbox(start + bytes(first) + b"\n" + start + bytes(second))
    assert [heading for _, _, heading in page.headings] == ["One", "Two"]
    assert "2,000 euros" in page.text and "950 euros" in page.text

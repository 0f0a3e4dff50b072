"""Mail: single messages (EML, MSG), mailboxes (MBOX), and web pages saved as mail (MHTML)."""

from indexing.convert.mail.mailbox import convert_mbox
from indexing.convert.mail.message import convert_eml, convert_mhtml
from indexing.convert.mail.outlook import convert_msg

__all__ = ["convert_eml", "convert_mbox", "convert_mhtml", "convert_msg"]

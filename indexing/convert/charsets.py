"""
Which of the old encodings is a text in that declares none? The one under which its bytes are most probable.

Each candidate is an encoding with a language's letters in the order of their frequency: how often a letter comes falls
about exponentially with its rank. What stands around a character counts, too: letters of other scripts do not stand
beside ASCII letters, capitals do not follow small letters, signs do not stand inside words. Short texts are decided by
this as well as long ones, which a comparison of the share of odd characters cannot do.
"""

import math
import re
from dataclasses import dataclass
from functools import lru_cache

_SAMPLE = 20_000
_HIGH_RUNS = re.compile(rb"[^\n]*[\x80-\xff][^\n]*")
_UNKNOWN, _SIGN, _CAPITAL = math.log(1e-5), math.log(0.02), math.log(0.4)
_MISPLACED = math.log(1e-3)
_SIGNS = frozenset("–—-‘’‚“”„†•…‰‹›€™\xa0¡¢£¤¥§©«¬®°±´·»¿×÷№²³¹½¼¾µ¶¨\xad،؟؛־")
_JOINING = frozenset("’'·\xad-‑´")
_LATIN = {  # letters beyond ASCII, the commonest first
    "German": "üäößéàè",
    "French": "éèàêçùâîôœûïëæÿ",
    "Spanish": "óíáñéúü",
    "Portuguese": "ãçáéóíêõàâôúü",
    "Italian": "àèùòéì",
    "Nordic": "åäöøæéü",
    "Catalan": "éàóíçòèúïü",
    "Polish": "łąęóżśćńź",
    "Czech": "íáéěýžčřšůúťóňďľôä",
    "Hungarian": "áéőöíóüúű",
    "Romanian": "ăîâşţ",
    "Croatian": "čšžćđ",
    "Turkish": "ıüşğçöâîİ",
    "Baltic": "āšīēūģņžčļķąęėįųŗ",
    "Icelandic": "áðíþöæéúóý",
}
_ALPHABETS = {
    "Russian": "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъёіїєґў",
    "Greek": "αοιετσνηυρπκμλςίόέάήδγωύώχθφβξζψϊϋΐΰ",
    "Hebrew": "יוהלאמרבתשנעכדקחפםגטצןזסךףץ",
    "Arabic": "اليمنترهبوعدسفكقةحجصشطذضخثغىأإءئزظآؤ",
    "Thai": "านรอกเ่งมยลว้ดัทีสติะปบคหแุจพชขใู์ื็ไโผซณฐศถธฟ",
}
# Encoding, whose letters, and the logarithm of how much rarer it is than Windows-1252.
_SINGLE = (
    *(("cp1252", name, 0.0) for name in ("German", "French", "Spanish", "Portuguese", "Italian", "Nordic", "Catalan")),
    *(("cp1250", name, -1.0) for name in ("Polish", "Czech", "Hungarian", "Romanian", "Croatian")),
    *(("iso8859_2", name, -2.0) for name in ("Polish", "Czech", "Hungarian", "Romanian", "Croatian")),
    ("cp1254", "Turkish", -1.0),
    ("cp1257", "Baltic", -2.0),
    ("cp1252", "Icelandic", -4.0),
    *(("mac_roman", name, -2.5) for name in ("German", "French", "Spanish", "Nordic", "Italian", "Portuguese")),
    *(("cp850", name, -2.5) for name in ("German", "French", "Spanish", "Nordic", "Italian", "Portuguese")),
    *(("cp852", name, -3.5) for name in ("Polish", "Czech", "Hungarian")),
    ("cp1251", "Russian", -1.0),
    ("koi8_r", "Russian", -1.5),
    ("koi8_u", "Russian", -2.0),
    ("iso8859_5", "Russian", -2.0),
    ("cp866", "Russian", -2.5),
    ("mac_cyrillic", "Russian", -3.0),
    ("cp1253", "Greek", -1.0),
    ("iso8859_7", "Greek", -1.5),
    ("cp1255", "Hebrew", -1.0),
    ("cp1256", "Arabic", -1.0),
    ("iso8859_6", "Arabic", -2.0),
    ("cp874", "Thai", -2.0),
)
_DOUBLE = ("gb18030", "big5", "cp932", "euc_jp", "cp949")
# The commonest characters of Chinese, a third to a half of any text, in both ways of writing.
_HANZI = frozenset(
    "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然家种事成方"
    "多经么去法学如都同现当没动面起看定天分还进好小部其些主样理心她本前开但因只从想实日军者意无力它与长把机十民第公此已工使情"
    "明性知全三又关点正业外将两高间由问很最重并物手应战向头文体政美相见被利什二等产或新己制身果加西斯月话合回特代内信表化老给"
    "世位次度门任常先海通教儿原东声提立及比员解水名真论处走义各入几口认条平系气题活尔更别打女变四神总何电数安少报才结反受目太"
    "这個們來為國說時會對過發後裡種經麼學現當沒動還進樣從實軍無與長機此關點業將兩間問應戰頭體見產話門兒東聲員論處義幾認條"
    "系氣題爾變總電數報結反一二三四五六七八九十百千万萬〇零年月日時分建直到座于於"
)
_HANGUL = frozenset(
    "이다는에가을의고로하지를서한사인기도자시대어부정과보일수리해라나전만그은구장여스주들원상공아유우국제경조성있없것년월오할면적동"
    "소생용전문세중모비선미와방치무실원관신명연안당계물출들했습니까요네저거게려으며였었된되본각간강거건결고교금급길김남내녀누단달더데"
    "돈든등때또람래러런레르름린립마막많말매먼메며몇몸못바반발밤배백번벌법변별불빠사산살새색서설속손순술쉬식심십쓰씨알약양억언얼업역열"
    "영예왕외욕운울움월위육음응의임입잘재점접족종좋죽준즉직질집차착찾책처천첫청초최추축충친카커코크타터토통트파판편평포표품프피필학합항"
    "행향허험현형호화활회후히힘빛배섬등탑홉떠난는홉워졌울둔덟녕"
)


@dataclass(frozen=True)
class _Candidate:
    encoding: str
    letters: dict[str, float]  # logarithm of the probability of each
    latin: bool
    prior: float


def guess_encoding(data: bytes) -> str:
    """
    :param data: text in an unknown encoding with bytes beyond ASCII.
    :returns: the name of Python's codec; ``cp1252`` where nothing speaks for another.
    """
    sample = _sample(data)
    high = sum(byte > 127 for byte in sample)
    best, best_score = "cp1252", -math.inf
    for encoding in _DOUBLE:
        score = _double_score(sample, encoding, high)
        if score > best_score:
            best, best_score = encoding, score
    for candidate in _candidates():
        text = sample.decode(candidate.encoding, "replace")
        score = _score(text, candidate) + candidate.prior
        if score > best_score:
            best, best_score = candidate.encoding, score
    return best


def _sample(data: bytes) -> bytes:
    """Lines with bytes beyond ASCII, up to a bound."""
    kept, size = [], 0
    for match in _HIGH_RUNS.finditer(data[:2_000_000]):
        kept.append(match.group())
        size += len(match.group())
        if size > _SAMPLE:
            break
    return b"\n".join(kept)[:_SAMPLE]


@lru_cache(1)
def _candidates() -> list[_Candidate]:
    made = []
    for encoding, language, prior in _SINGLE:
        latin = language in _LATIN
        order = _LATIN[language] if latin else _ALPHABETS[language]
        steep = 2.5 if latin else 3.7
        weights = [math.exp(-steep * rank / len(order)) for rank in range(len(order))]
        total = sum(weights)
        letters = {letter: math.log(weight / total) for letter, weight in zip(order, weights, strict=True)}
        made.append(_Candidate(encoding, letters, latin, prior))
    return made


def _score(text: str, candidate: _Candidate) -> float:
    """Logarithm of the probability of the characters beyond ASCII."""
    score = 0.0
    letters = candidate.letters
    before = " "
    for index, char in enumerate(text):
        if char < "\x80":
            before = char
            continue
        behind = text[index + 1] if index + 1 < len(text) else " "
        small = char.lower()
        if small in letters or char in letters:
            score += letters.get(char, letters.get(small, _UNKNOWN))
            if char != small and char not in letters:
                score += -0.4 if before.isupper() else _CAPITAL
                score += _MISPLACED if before.islower() else 0.0
            if candidate.latin and not before.isalpha() and not behind.isalpha() and small not in "àéóáè":
                score += _MISPLACED / 2  # few letters beyond ASCII are words of their own
            if candidate.latin and before.isalpha() and before > "\x7f" and behind.isalpha() and behind > "\x7f":
                score += _MISPLACED  # words of such letters alone are of another script
            if not candidate.latin and (_is_ascii_letter(before) or _is_ascii_letter(behind)):
                score += _MISPLACED
        elif char in _SIGNS:
            inside = before.isalpha() and behind.isalpha()
            score += _SIGN + (_MISPLACED if inside and char not in _JOINING else 0.0)
        else:
            score += _UNKNOWN
        before = char
    return score


def _double_score(sample: bytes, encoding: str, high: int) -> float:
    try:
        text = sample.decode(encoding)
    except UnicodeDecodeError as error:
        if len(sample) < _SAMPLE or error.start < len(sample) - 3:
            return -math.inf
        text = sample[: error.start].decode(encoding)  # the sample ends inside a character
    score = -1.0
    for char in text:
        if char < "\x80":
            continue
        if "\u3040" <= char <= "\u30ff":
            score += math.log(1 / 90) if encoding in ("cp932", "euc_jp") else math.log(1e-4)
        elif "\uac00" <= char <= "\ud7a3":
            score += (math.log(1 / 250) if char in _HANGUL else math.log(1 / 9000)) if encoding == "cp949" else -14.0
        elif char in _HANZI:
            score += math.log(1 / 500) if encoding != "cp949" else math.log(1e-5)
        elif "\u4e00" <= char <= "\u9fff":
            score += math.log(1 / 9000) if encoding != "cp949" else math.log(1e-6)
        elif char in "，。、「」『』；：？！（）《》“”…・〇　":
            score += math.log(0.03)
        else:
            score += 2 * _UNKNOWN
    return score


def _is_ascii_letter(char: str) -> bool:
    return char.isascii() and char.isalpha()

"""Words are found whatever their Unicode form, in the embedded store; Elasticsearch's analyser is told the same."""

import unicodedata

import pytest
from haystack import Document

from components.questions import search_text
from components.retriever import HybridRetriever
from components.search_form import search_form
from components.stores.elasticsearch.index.mapping import WRITTEN
from components.stores.elasticsearch.index.rows import to_document, to_row
from components.stores.lancedb import LanceDBDocumentStore

NFD = unicodedata.normalize("NFD", "Das Schiff fährt nach Nürnberg")
FORMS = [
    ("Die Donau\u00addampf\u00adschiff\u00adfahrt war teuer", "Donaudampfschifffahrt"),
    ("The key\u200bword stands here", "keyword"),
    ("Auf\u200clage neu", "Auflage"),
    ("\ufeffBeginning of the file", "beginning"),
    (NFD, "Nürnberg"),
    ("Das Schiff fährt nach München", unicodedata.normalize("NFD", "München")),
    ("\uff21\uff22\uff23 Corporation pays", "ABC"),
    ("The of\ufb01ce pays", "office"),
    ("Le café Crème pays", "creme"),
    ("Art.\u00a0581 pays", "Art 581"),
    ("Wand\u2019s dog barks", "Wand's"),
    ("यह हिन्दी भाषा है", "हिन्दी"),
    ("הַסְּפִינָה חוזרת", "הספינה"),
    ("كِتَابٌ جديد", "كتاب"),
    ("ọ́kpụ́kpụ́ dị", "ọkpụkpụ"),
    ("an area of 5 m²", "m2"),
]


@pytest.fixture(scope="module")
def retriever(tmp_path_factory):
    store = LanceDBDocumentStore(tmp_path_factory.mktemp("forms"), durable=False)
    languages = [("C is a language", "c"), ("C++ is a language", "cpp"), ("C# is a language", "csharp")]
    store.write_documents(
        [Document(id=str(number), content=text) for number, (text, _) in enumerate(FORMS)]
        + [Document(id=name, content=text) for text, name in languages]
        + [Document(id=f"other{number}", content=f"Nothing of the kind {number}") for number in range(5)]
    )
    return HybridRetriever(store, top_k=3, words_weight=1.0)


@pytest.mark.parametrize("number", range(len(FORMS)))
def test_a_word_is_found_whatever_its_form(retriever, number):
    text, question = FORMS[number]
    found = retriever.run(query=question)["documents"]
    assert found
    assert found[0].id == str(number)
    assert found[0].content == text  # as it was written


@pytest.mark.parametrize(("question", "first"), [("C++", "cpp"), ("C#", "csharp"), ("What is C++?", "cpp")])
def test_cpp_and_csharp_come_before_c(retriever, question, first):
    assert retriever.run(query=question)["documents"][0].id == first


def test_plain_text_stays_as_it_is():
    for text in ("Plain words, i+=1; a+++b a#b #hashtag", "Ordinary naïve café", "日本語の文"):
        assert search_form(text) == unicodedata.normalize("NFC", text)
    assert search_form("\ufdfa" * 10).count(" ") == 30


def test_a_question_in_hindi_keeps_its_words():
    assert search_text("हिन्दी भाषा कहाँ है?", "Hindi") == "हिन्दी भाषा कहाँ है"


def test_filters_on_content_compare_what_was_written(tmp_path):
    store = LanceDBDocumentStore(tmp_path / "s", durable=False)
    store.write_documents([Document(id="a", content=NFD), Document(id="b", content="x")])
    found = store.filter_documents({"field": "content", "operator": "==", "value": NFD})
    assert [(document.id, document.content) for document in found] == [("a", NFD)]


@pytest.mark.parametrize("text", ["plain words", NFD, "C++ and C#"])
def test_elasticsearch_keeps_what_was_written(text):
    row = to_row(Document(id="a", content=text))
    assert row["content"] == search_form(text)
    assert (WRITTEN in row) is (search_form(text) != text)
    assert to_document(row).content == text

"""What a model is asked in words: templates, presets of published cards, and text that cannot pass for a sign."""

import re
import string
from collections.abc import Sequence
from dataclasses import dataclass

# As the cards write them. `</s>` is added by the tokenizer: the card's literal one would be read twice.
PRESETS = {
    "t5": "question: {question}  context: {context}",  # two spaces: mrm8488/t5-base-finetuned-squadv2, distilt5-qa-qg
    "unifiedqa": "{question} \\n {context}",  # a literal backslash and n, as its authors trained it; lower case
    "flan": "{context}\n\nQuestion: {question}\nAnswer:",
}

_HALVES = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class Template:
    """A prompt with the places of question and context in it."""

    text: str

    @classmethod
    def of(cls, template: str) -> "Template":
        """
        A preset by its name, or a template with {question} and {context}.

        :raises ValueError: naming the presets, or what the template lacks.
        """
        text = PRESETS.get(template, template)
        try:
            names = [name for _, name, _, _ in string.Formatter().parse(text) if name is not None]
        except ValueError as error:
            raise ValueError(f"template {template!r}: {error}; write {{{{ for a literal brace") from error
        if sorted(names) != ["context", "question"]:
            raise ValueError(
                f"template {template!r} must hold {{question}} and {{context}} once each, or be one of "
                f"{', '.join(PRESETS)}"
            )
        return cls(text)

    def fill(self, question: str, context: str) -> str:
        """The prompt."""
        return self.text.format(question=question, context=context)


def disarm(text: str, signs: Sequence[str]) -> str:
    """
    The text with the model's own signs in it (`</s>`, `<hl>`) made plain characters, at equal length: a document that
    holds them is read as text, and offsets stay. So are halves of characters, which no tokenizer takes.
    """
    text = _HALVES.sub("\ufffd", text)
    if "<" not in text and "[" not in text:
        return text
    pattern = "|".join(re.escape(sign) for sign in sorted(signs, key=len, reverse=True) if sign)
    return re.sub(pattern, lambda found: "‹" + found.group()[1:], text) if pattern else text

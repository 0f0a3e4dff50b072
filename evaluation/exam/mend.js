// The page on which an exam is mended: it changes nothing but itself, until "Save" hands out the mended exam.
"use strict";
const exam = JSON.parse(document.getElementById("exam").textContent);
const articles = new Map([...document.querySelectorAll("article")].map((one) => [one.dataset.id, one]));
// The file counts characters, this language halves of some of them.
const characters = (text) => Array.from(text).length;

function mark(passage, whole, start, length) {
  const marked = document.createElement("mark");
  marked.textContent = whole.slice(start, start + length);
  passage.replaceChildren(whole.slice(0, start), marked, whole.slice(start + length));
}

function takeSelection(article) {
  const passage = article.querySelector(".passage");
  const chosen = getSelection().rangeCount ? getSelection().getRangeAt(0) : null;
  if (!chosen || chosen.collapsed || !passage.contains(chosen.commonAncestorContainer)) {
    alert("Select the answer's words in this question's passage first.");
    return;
  }
  const before = document.createRange();
  before.setStart(passage, 0);
  before.setEnd(chosen.startContainer, chosen.startOffset);
  const whole = passage.textContent, text = chosen.toString(), start = before.toString().length;
  mark(passage, whole, start, text.length);
  article.dataset.answer = text;
  article.dataset.start = characters(whole.slice(0, start));
}

function mended() {
  const seen = [];
  const data = exam.data.map((file) => ({ ...file, paragraphs: file.paragraphs.map((paragraph) => ({
    ...paragraph,
    qas: paragraph.qas.flatMap((qa) => {
      const article = articles.get(qa.id);
      if (article.querySelector(".drop").checked) return [];
      seen.push(qa.id);
      const changed = { ...qa, question: article.querySelector("h2").textContent.trim() };
      if (article.dataset.answer !== undefined) {
        changed.answers = [{ text: article.dataset.answer, answer_start: Number(article.dataset.start) }];
        changed.place = {};  // where in its file the other words stand is not known here
      }
      return [changed];
    }),
  })).filter((paragraph) => paragraph.qas.length) })).filter((file) => file.paragraphs.length);
  return { ...exam, exam: { ...exam.exam, reviewed: seen }, data };
}

for (const article of articles.values()) {
  const take = article.querySelector(".take");
  take?.addEventListener("mousedown", (event) => event.preventDefault());  // which would end the selection
  take?.addEventListener("click", () => takeSelection(article));
}
document.getElementById("save").addEventListener("click", () => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([JSON.stringify(mended(), null, 1) + "\n"], { type: "application/json" }));
  link.download = "exam.json";
  link.click();
  URL.revokeObjectURL(link.href);
});

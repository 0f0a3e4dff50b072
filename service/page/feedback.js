// Was the answer right? Three verdicts; for right place but wrong words, the right ones are selected in the text.

import { remove, send } from "./api.js";
import { announce, fill, h, Points } from "./dom.js";
import { t } from "./words.js";

/** The row below an answer. `sentence` is the element that shows its context. */
export function feedback(told, answer, sentence) {
  const root = h("div", { class: "feedback" });
  const base = {
    question: told.question, answer: answer.answer, document: answer.source_id, request_id: told.request_id ?? null,
    start: answer.start_in_file ?? null, end: answer.end_in_file ?? null,
  };
  const give = async (fields) => {
    let kept;
    try {
      kept = await send("/feedback", { ...base, ...fields });
    } catch (error) {
      return fill(root, h("span", { class: "bad", role: "alert" }, t("failed", { message: error.message })), choices());
    }
    fill(root, h("span", { role: "status" }, t("thanks")), kept?.id ? h("button", { type: "button", class: "plain", onclick: () => undo(kept.id) }, t("undo")) : null);
    announce(t("thanks"));
  };
  const undo = async (id) => {
    try {
      await remove(`/feedback/${id}`);
      announce(t("undone"));
      fill(root, choices());
    } catch (error) {
      fill(root, h("span", { class: "bad", role: "alert" }, t("failed", { message: error.message })));
    }
  };
  const button = (label, does) => h("button", { type: "button", class: "plain", onclick: does }, label);
  const choices = () => [
    h("span", {}, t("feedback")), button(t("right"), () => give({ verdict: "right" })),
    answer.source_id && answer.context ? button(t("right_passage"), select) : null,
    button(t("wrong"), () => give({ verdict: "wrong" })),
    button(t("not_there"), () => give({ verdict: "wrong", not_in_documents: true })),
  ];
  const select = () => {
    const wrong = h("span", { class: "bad", role: "alert" });
    sentence.classList.add("selectable");
    sentence.tabIndex = 0;
    const done = () => { sentence.classList.remove("selectable"); sentence.removeAttribute("tabindex"); };
    fill(root, h("span", {}, t("select_words")),
      button(t("use_selection"), () => {
        const range = selected(sentence, answer);
        if (!range) { wrong.textContent = t("nothing_selected"); return; }
        done();
        give({ verdict: "right_passage", correct: { document: answer.source_id, ...range } });
      }),
      button(t("cancel"), () => { done(); fill(root, choices()); }), wrong);
    sentence.scrollIntoView({ block: "nearest" });
  };
  return fill(root, choices());
}

/** The selected words as characters of the file's text, trimmed; null without a selection in the sentence. */
function selected(sentence, answer) {
  const selection = getSelection();
  if (!selection.rangeCount || selection.isCollapsed) return null;
  const range = selection.getRangeAt(0);
  if (!sentence.contains(range.startContainer) || !sentence.contains(range.endContainer)) return null;
  const lead = document.createRange();
  lead.setStart(sentence, 0);
  lead.setEnd(range.startContainer, range.startOffset);
  const points = new Points(answer.context);
  const text = answer.context.slice(lead.toString().length, lead.toString().length + range.toString().length);
  const trimmed = text.trim();
  if (!trimmed) return null;
  const unit = lead.toString().length + text.indexOf(trimmed);
  const shift = answer.start_in_file - answer.start_in_context;
  return { start: shift + points.at(unit), end: shift + points.at(unit + trimmed.length), text: trimmed };
}

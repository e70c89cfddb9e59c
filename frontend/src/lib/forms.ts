// Forms: ask before what cannot be undone, send choices at once, copy a value.
import { announce } from "./announce.ts";
import { text } from "./texts.ts";

const confirmed = new WeakSet<HTMLFormElement>();

export function startForms(): void {
  document.addEventListener("submit", askFirst, { capture: true });
  document.addEventListener("change", (event) => {
    const field = event.target;
    if (field instanceof HTMLElement && field.matches("[data-autosubmit]")) field.closest("form")?.requestSubmit();
  });
  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest<HTMLButtonElement>("button[data-copy]") : null;
    if (button) void copy(button);
  });
}

function askFirst(event: SubmitEvent): void {
  const form = event.target;
  if (!(form instanceof HTMLFormElement) || form.dataset["confirm"] === undefined) return;
  if (confirmed.delete(form)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  const { submitter } = event;
  const dialog = confirmDialog(form);
  dialog.addEventListener("close", () => {
    const agreed = dialog.returnValue === "yes";
    dialog.remove();
    if (!agreed) return;
    confirmed.add(form);
    form.requestSubmit(submitter);
  });
  document.body.append(dialog);
  dialog.showModal();
}

function confirmDialog(form: HTMLFormElement): HTMLDialogElement {
  const dialog = document.createElement("dialog");
  dialog.className = "confirm";
  dialog.setAttribute("aria-labelledby", "confirm-question");
  const question = document.createElement("p");
  question.id = "confirm-question";
  question.textContent = form.dataset["confirm"] ?? "";
  const choice = document.createElement("form");
  choice.method = "dialog";
  choice.className = "form-actions";
  const kind = form.dataset["confirmKind"] === "danger" ? "btn-danger" : "btn-primary";
  choice.append(
    choiceButton("yes", form.dataset["confirmAction"] ?? text("confirm"), kind),
    choiceButton("no", text("cancel"), ""),
  );
  dialog.append(question, choice);
  return dialog;
}

function choiceButton(value: string, label: string, kind: string): HTMLButtonElement {
  const button = document.createElement("button");
  button.value = value;
  button.className = `btn ${kind}`;
  button.textContent = label;
  button.autofocus = value === "no";
  return button;
}

async function copy(button: HTMLButtonElement): Promise<void> {
  const source = document.querySelector<HTMLElement>(button.dataset["copy"] ?? "");
  const value = source instanceof HTMLInputElement ? source.value : (source?.textContent ?? "");
  const label = button.querySelector<HTMLElement>("[data-copy-label]") ?? button;
  const before = label.textContent;
  let said = text("copied");
  try {
    await navigator.clipboard.writeText(value);
  } catch {
    // Without a secure connection the browser gives no clipboard: select it, so that the keyboard can copy.
    said = text("copy_failed");
    if (source instanceof HTMLInputElement) source.select();
  }
  label.textContent = said;
  announce(said);
  setTimeout(() => (label.textContent = before), 2500);
}

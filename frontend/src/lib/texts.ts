// The sentences that modules show. They come translated from the server, in the JSON block `texts` of base.html
// (commonwatt/portal/templatetags/ui.py, browser_texts), so that this bundle holds no language.
export type TextName =
  | "cancel"
  | "confirm"
  | "copied"
  | "copy_failed"
  | "live_closed"
  | "live_connecting"
  | "live_lost"
  | "live_on"
  | "now"
  | "no_reading"
  | "estimated"
  | "metered"
  | "predicted"
  | "predicted_range"
  | "baseline"
  | "delivered"
  | "used_more"
  | "target"
  | "event"
  | "amount"
  | "open_details";

let texts: Partial<Record<TextName, string>> | undefined;

/** The translated sentence, with `{name}` places filled in. Throws when the server did not send it. */
export function text(name: TextName, values: Record<string, string> = {}): string {
  texts ??= JSON.parse(document.getElementById("texts")?.textContent ?? "{}") as Partial<Record<TextName, string>>;
  const sentence = texts[name];
  if (sentence === undefined) throw new Error(`the page carries no text "${name}"`);
  return sentence.replace(/\{(\w+)\}/g, (place, key: string) => values[key] ?? place);
}

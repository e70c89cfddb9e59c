// Numbers and times in the page's language. The same rules as the template filters in commonwatt/portal/templatetags/ui.py.
const pageLanguage = document.documentElement.lang;
// Plain "en" would give American dates; the server writes 20 Nov.
const language = pageLanguage === "" || pageLanguage === "en" ? "en-GB" : pageLanguage;

const GAP = "\u00a0";
const formats = new Map<number, Intl.NumberFormat>();

function fixed(value: number, decimals: number): string {
  let format = formats.get(decimals);
  if (!format) {
    format = new Intl.NumberFormat(language, { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
    formats.set(decimals, format);
  }
  // A minus sign as wide as a plus, and never "-0.00".
  return format.format(Number(value.toFixed(decimals)) || 0).replace("-", "\u2212");
}

/** Three significant decimals for small amounts, fewer for large ones. */
function measured(kilo: number, unit: string): string {
  const size = Math.abs(kilo);
  if (size >= 100_000) return `${fixed(kilo / 1000, 1)}${GAP}M${unit}`;
  return `${fixed(kilo, size < 1 ? 3 : size < 100 ? 2 : size < 1000 ? 1 : 0)}${GAP}k${unit}`;
}

export function energy(wh: number): string {
  return measured(wh / 1000, "Wh");
}

/** "0.34 – 0.46 kWh": the unit once, unless the two differ in it. */
export function energyRange(lowWh: number, highWh: number): string {
  const [low = "", unit = ""] = energy(lowWh).split(GAP);
  const high = energy(highWh);
  return high.endsWith(GAP + unit) ? `${low} – ${high}` : `${low}${GAP}${unit} – ${high}`;
}

export function power(w: number): string {
  return measured(w / 1000, "W");
}

/** A number for an axis: as many decimals as the step between its labels needs. */
export function plain(value: number): string {
  return new Intl.NumberFormat(language, { maximumFractionDigits: 3 }).format(value);
}

const dates = new Map<string, Intl.DateTimeFormat>();

function dateFormat(zone: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = zone + JSON.stringify(options);
  let format = dates.get(key);
  if (!format) {
    format = new Intl.DateTimeFormat(language, { timeZone: zone, ...options });
    dates.set(key, format);
  }
  return format;
}

export type TimeStyle = "time" | "day" | "weekday" | "month" | "monthYear" | "dayTime" | "seconds";

const STYLES: Record<TimeStyle, Intl.DateTimeFormatOptions> = {
  time: { hour: "2-digit", minute: "2-digit", hourCycle: "h23" },
  seconds: { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" },
  day: { day: "numeric", month: "short" },
  weekday: { weekday: "short", day: "numeric", month: "short" },
  month: { month: "short" },
  monthYear: { month: "long", year: "numeric" },
  dayTime: { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" },
};

export function time(ms: number, zone: string, style: TimeStyle): string {
  return dateFormat(zone, STYLES[style]).format(ms);
}

export interface LocalParts {
  hour: number;
  minute: number;
  day: number;
  month: number;
}

/** What a clock on the wall of that zone shows. */
export function localParts(ms: number, zone: string): LocalParts {
  const parts = dateFormat(zone, { hour: "numeric", minute: "numeric", day: "numeric", month: "numeric", hourCycle: "h23" });
  const found = Object.fromEntries(parts.formatToParts(ms).map((part) => [part.type, Number(part.value)]));
  return { hour: found["hour"] ?? 0, minute: found["minute"] ?? 0, day: found["day"] ?? 1, month: found["month"] ?? 1 };
}

const relativeFormat = new Intl.RelativeTimeFormat(language, { numeric: "auto", style: "short" });

/** "4 min. ago", "in 2 hr." in the page's language. */
export function relative(ms: number, now: number): string {
  const seconds = Math.round((ms - now) / 1000);
  const size = Math.abs(seconds);
  if (size < 60) return relativeFormat.format(seconds, "second");
  if (size < 3600) return relativeFormat.format(Math.trunc(seconds / 60), "minute");
  if (size < 86_400) return relativeFormat.format(Math.trunc(seconds / 3600), "hour");
  return relativeFormat.format(Math.trunc(seconds / 86_400), "day");
}

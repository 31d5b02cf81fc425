/** Times as the reader's clock shows them. */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const full = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });

export function localTime(at: string): string {
  return at ? full.format(new Date(at)) : "";
}

/** "3 minutes ago", "in 2 hours". */
export function fromNow(at: string, now = Date.now()): string {
  const away = new Date(at).getTime() - now;
  const [unit, length] = (
    Math.abs(away) < HOUR
      ? ["minute", MINUTE]
      : Math.abs(away) < 2 * DAY
        ? ["hour", HOUR]
        : ["day", DAY]
  ) as [Intl.RelativeTimeFormatUnit, number];
  return relative.format(Math.round(away / length), unit);
}

/** "2026-01-31", whole and in the calendar. */
export function isDay(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text));
}

/** The instants at which a day of the reader's calendar, "2026-01-31", begins and ends. */
export function dayBounds(day: string): { from: string; to: string } {
  const [year = 0, month = 1, date = 1] = day.split("-").map(Number);
  return {
    from: new Date(year, month - 1, date).toISOString(),
    to: new Date(year, month - 1, date + 1).toISOString(),
  };
}

/**
 * The input `holidays`: the public holidays of every country, state and region in the package
 * `date-holidays`. Each region is a user, and each holiday is a dated event of that user, in 2024
 * and then in 2025. Code ISC, data CC BY-SA 3.0, https://github.com/commenthol/date-holidays
 */
import Holidays from 'date-holidays';

/** One holiday of a calendar: an event of the user. */
export interface Holiday {
  readonly name: string;
  /** "MM-DD". */
  readonly date: string;
  readonly type: string;
  readonly rule: string;
}

/** How a region's holidays change from one year to the next, matched by name. */
export interface YearChange {
  readonly unchanged: readonly Holiday[];
  readonly moved: readonly { readonly from: Holiday; readonly to: Holiday }[];
  readonly removed: readonly Holiday[];
  readonly added: readonly Holiday[];
}

/** One region's holidays. `region` is its code, such as "de/by". */
export interface RegionCalendar {
  readonly region: string;
  readonly events: readonly Holiday[];
  readonly change: YearChange;
}

/** The codes of all regions, or of the first `limit` regions. */
export function listRegions(limit = Number.POSITIVE_INFINITY): readonly string[] {
  const all = new Holidays();
  const codes: string[] = [];
  for (const country of Object.keys(all.getCountries())) {
    codes.push(country);
    for (const state of Object.keys(all.getStates(country) ?? {})) {
      codes.push(`${country}/${state}`);
      for (const region of Object.keys(all.getRegions(country, state) ?? {}))
        codes.push(`${country}/${state}/${region}`);
    }
  }
  return codes.slice(0, limit);
}

/** A region's holidays of 2024, and the changes to 2025. */
export function readRegion(region: string): RegionCalendar {
  const [country = '', state, part] = region.split('/');
  const holidays =
    part !== undefined && state !== undefined
      ? new Holidays(country, state, part)
      : state !== undefined
        ? new Holidays(country, state)
        : new Holidays(country);
  const events = readYear(holidays, 2024);
  return { region, events, change: compareYears(events, readYear(holidays, 2025)) };
}

function readYear(holidays: Holidays, year: number): readonly Holiday[] {
  return holidays
    .getHolidays(year)
    .map(({ name, date, type, rule }) => ({ name, date: date.slice(5, 10), type, rule }));
}

/** Matches events with the same name in the order of their dates. */
function compareYears(before: readonly Holiday[], after: readonly Holiday[]): YearChange {
  const next = Map.groupBy(after, (event) => event.name);
  const moved: { from: Holiday; to: Holiday }[] = [];
  const removed: Holiday[] = [];
  const unchanged: Holiday[] = [];
  for (const [name, events] of Map.groupBy(before, (event) => event.name)) {
    const others = next.get(name) ?? [];
    for (const [index, from] of events.entries()) {
      const to = others[index];
      if (to === undefined) removed.push(from);
      else if (to.date === from.date) unchanged.push(from);
      else moved.push({ from, to });
    }
    next.set(name, others.slice(events.length));
  }
  return { unchanged, moved, removed, added: [...next.values()].flat() };
}

/**
 * The input `holidays`: the public holidays of every country, state and region that the package `date-holidays` knows,
 * as the dated events of so many users, in 2024 and then in 2025. Code ISC, data CC BY-SA 3.0,
 * https://github.com/commenthol/date-holidays
 */
import Holidays from 'date-holidays';

/** One holiday of a calendar: the user's event. */
export interface Holiday {
  readonly name: string;
  /** "MM-DD". */
  readonly date: string;
  readonly type: string;
  readonly rule: string;
}

/** What becomes of a region's holidays from one year to the next, matched by name. */
export interface YearChange {
  readonly stay: readonly Holiday[];
  readonly moves: readonly { readonly from: Holiday; readonly to: Holiday }[];
  readonly gone: readonly Holiday[];
  readonly come: readonly Holiday[];
}

/** One region's holidays; `region` is its code, such as "de/by". */
export interface RegionCalendar {
  readonly region: string;
  readonly events: readonly Holiday[];
  readonly change: YearChange;
}

/** The codes of all regions, or of the first so many. */
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

/** A region's holidays of 2024, and what changes to 2025. */
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

/** Events of one name are matched in the order of their dates. */
function compareYears(before: readonly Holiday[], after: readonly Holiday[]): YearChange {
  const next = Map.groupBy(after, (event) => event.name);
  const moves: { from: Holiday; to: Holiday }[] = [];
  const gone: Holiday[] = [];
  const stay: Holiday[] = [];
  for (const [name, events] of Map.groupBy(before, (event) => event.name)) {
    const others = next.get(name) ?? [];
    for (const [index, from] of events.entries()) {
      const to = others[index];
      if (to === undefined) gone.push(from);
      else if (to.date === from.date) stay.push(from);
      else moves.push({ from, to });
    }
    next.set(name, others.slice(events.length));
  }
  return { stay, moves, gone, come: [...next.values()].flat() };
}

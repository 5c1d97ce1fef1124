/**
 * The calendars of the Debian package `calendar` as test input. Each file is a user. Licence BSD;
 * the data was collected by many people, see its copyright file.
 */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { RunStep } from '../../../tools/local/progress.ts';
import { type DebianVersion, installDebianPackage } from '../debian-package.ts';
import { type FileEvent, parseCalendar } from './parse-calendar.ts';

const calendarPackage: DebianVersion = {
  name: 'calendar',
  version: '12.1.8',
  sha256: '30aa06491313ad4ce48d24ff094cba91518adec5ce964a8790b6baf0725cedc4',
};

/** The calendar of one file. `file` is its relative path, such as "de_DE/calendar.musik". */
export interface CalendarFile {
  readonly file: string;
  readonly events: readonly FileEvent[];
  readonly leftOut: number;
}

/** All files with events, sorted by name. Links are skipped: a link is a second name of a file. */
export async function readDebianCalendars(step: RunStep, signal: AbortSignal): Promise<readonly CalendarFile[]> {
  const folder = path.join(await installDebianPackage(calendarPackage, step, signal), 'usr/share/calendar');
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .sort();
  const calendars = await Promise.all(
    files.map(async (file) => ({ file, ...parseCalendar(await readFile(path.join(folder, file), 'utf8')) })),
  );
  return calendars.filter(({ events }) => events.length > 0);
}

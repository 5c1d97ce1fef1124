/** The processor time that processes and the machine have used so far, in seconds. */
import { readdir, readFile } from 'node:fs/promises';

/** The processes whose command line names a folder. */
export async function pidsIn(folder: string): Promise<readonly number[]> {
  const names = await readdir('/proc');
  const found = await Promise.all(
    names
      .filter((name) => /^\d+$/.test(name))
      .map(async (name) => {
        const commandLine = await readFile(`/proc/${name}/cmdline`, 'latin1').catch(() => '');
        return commandLine.includes(folder) ? [Number(name)] : [];
      }),
  );
  return found.flat();
}

/**
 * Clock ticks in user and system mode, a hundredth of a second each.
 *
 * https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
 */
export async function processorSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / 100;
}

/**
 * The time of all processors that they were not idle.
 *
 * https://man7.org/linux/man-pages/man5/proc_stat.5.html
 */
export async function machineSeconds(): Promise<number> {
  const [, user, nice, system, , , irq, softIrq] = (await readFile('/proc/stat', 'latin1')).split(/\s+/).map(Number);
  return [user, nice, system, irq, softIrq].reduce<number>((sum, ticks) => sum + (ticks ?? 0), 0) / 100;
}

/** Words that several of the doctor's checks say. */

export const setUpAdvice = 'Run: npx outgraph set-up (a deployment does it by itself).';

/** @param seconds how far it is ahead, or below zero behind. */
export function clockText(seconds: number, other: string): string {
  const apart = Math.abs(seconds);
  if (apart < 1) return `within a second of ${other}'s`;
  return `${apart.toFixed(0)} seconds ${seconds > 0 ? 'ahead of' : 'behind'} ${other}'s`;
}

/** The smallest value that this share of the sorted values does not exceed; null if there are no values. */
export function percentile(sorted: readonly number[], share: number): number | null {
  return sorted[Math.ceil(sorted.length * share) - 1] ?? null;
}

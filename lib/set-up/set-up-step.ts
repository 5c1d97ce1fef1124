/** The outcome of the set-up for one part of a database. */

/**
 * - `made`: it did not exist.
 * - `changed`: an older set-up, or another retention, had made it differently.
 * - `applied`: created or updated; the set-up's user may not read its previous state.
 * - `kept`: it already existed.
 */
export interface SetUpStep {
  readonly what: string;
  readonly outcome: 'made' | 'changed' | 'applied' | 'kept';
}

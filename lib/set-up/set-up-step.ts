/** What the set-up of a database did to one of its parts. */

/**
 * - `made`: it was not there.
 * - `changed`: an older set-up, or another retention, had made it differently.
 * - `applied`: made or brought to what it should be, whatever it was before: the set-up's user may not look.
 * - `kept`: it was there already.
 */
export interface SetUpStep {
  readonly what: string;
  readonly outcome: 'made' | 'changed' | 'applied' | 'kept';
}

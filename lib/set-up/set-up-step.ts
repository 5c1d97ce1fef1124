/** The outcome of the set-up for one part of a database. */

/**
 * - `made`: it did not exist.
 * - `changed`: it existed in another form, from an older set-up or with another retention.
 * - `applied`: created or updated; the set-up's user may not read its previous state.
 * - `kept`: it already existed.
 */
export interface SetUpStep {
  readonly what: string;
  readonly outcome: 'made' | 'changed' | 'applied' | 'kept';
}

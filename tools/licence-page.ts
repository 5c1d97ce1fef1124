/** The page of third-party licences as a pure function of the packages, and what is wrong with them. */

/** A production package. */
export interface LicensedPackage {
  readonly name: string;
  readonly version: string;
  /** An SPDX expression, or what the package says in its place. */
  readonly licence: string;
  readonly link: string;
}

/** The page, sorted by name; the same for every platform. */
export function licencePage(packages: readonly LicensedPackage[]): string {
  const rows = sorted(packages).map(
    ({ name, version, licence, link }) => `| ${name} | ${version} | ${licence} | ${link === '' ? '' : `<${link}>`} |`,
  );
  return `# Third-party licences

The packages that outgraph's functions carry in their bundles, or that it depends on where it runs. Made by \`npm run licences\` from the installed packages, and compared by
\`npm run check\`; which licences are allowed, and why, says \`tools/allowed-licences.ts\`.

| package | version | licence | where it comes from |
|---|---|---|---|
${rows.join('\n')}
`;
}

/** One sentence for each package whose licence is not allowed, or cannot be told. */
export function licenceProblems(
  packages: readonly LicensedPackage[],
  allowed: Readonly<Record<string, string>>,
): readonly string[] {
  return sorted(packages)
    .filter(({ licence }) => !isAllowed(licence, allowed))
    .map(
      ({ name, version, licence }) =>
        `${name} ${version} has the licence "${licence}", which is not allowed: use another package, or add the licence with the reason to tools/allowed-licences.ts.`,
    );
}

/** An expression of one kind of operator: of several offered licences one must be allowed, of several that all hold each one. */
function isAllowed(licence: string, allowed: Readonly<Record<string, string>>): boolean {
  const text = licence.replace(/^\((.*)\)$/, '$1');
  if (text.includes(' OR ') && !text.includes(' AND '))
    return text.split(' OR ').some((one) => Object.hasOwn(allowed, one));
  return text.split(' AND ').every((one) => Object.hasOwn(allowed, one));
}

function sorted(packages: readonly LicensedPackage[]): readonly LicensedPackage[] {
  const key = ({ name, version }: LicensedPackage) => `${name} ${version}`;
  return packages.toSorted((left, right) => (key(left) < key(right) ? -1 : 1));
}

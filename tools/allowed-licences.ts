/** The licences that a package which outgraph ships or stands on may have: the one place that says so. */

/** By SPDX identifier, each with the reason why it is no obstacle for who uses outgraph under Apache-2.0. */
export const allowedLicences: Readonly<Record<string, string>> = {
  'Apache-2.0': 'the licence of outgraph itself',
  MIT: 'permissive: asks for its notice only',
  'MIT-0': 'permissive: asks for nothing',
  '0BSD': 'permissive: asks for nothing',
  ISC: 'permissive: asks for its notice only',
  'BSD-2-Clause': 'permissive: asks for its notice only',
  'BSD-3-Clause': 'permissive: asks for its notice, and not to advertise with its authors',
};

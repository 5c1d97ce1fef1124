// Package conformance runs the tables that the writer libraries in all languages must pass. The tables are in
// test/conformance of the repository; the README there defines a case.
package conformance

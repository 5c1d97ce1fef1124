// Package conformance runs the tables that every writer library must pass, whatever its language: test/conformance of
// the repository, whose README says what a case is.
package conformance

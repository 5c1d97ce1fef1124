package xmem_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	outgraph "outgraph.example/writers/go"
	xmem "outgraph.example/xmem/go"
	"outgraph.example/xmem/go/internal/testdb"
)

func scan(t *testing.T, code *xmem.CodeGraph, files ...xmem.ScannedFile) xmem.ScanOutcome {
	t.Helper()
	return must[xmem.ScanOutcome](t)(code.ApplyScan(t.Context(), "acme", "shop", files))
}

func TestAScanWritesChangedFilesAndRemovesUnlistedOnes(t *testing.T) {
	t.Parallel()
	db := testdb.New(t)
	code := xmem.NewCodeGraph(db)
	one, yes := 1, true
	sum := xmem.Reference{From: "Cart", To: xmem.SymbolName{FilePath: "src/b.ts", Name: "sum"}}
	kept := xmem.ScannedFile{
		FilePath: "src/a.ts", TotalLines: &one,
		Symbols: []xmem.Symbol{{Name: "Cart", StartLine: &one, IsPublic: &yes}},
		Calls:   []xmem.Call{{Reference: sum, Count: &one}},
		Imports: []xmem.Import{{FilePath: "src/b.ts", Type: "named"}},
	}
	outcome := scan(t, code, kept, xmem.ScannedFile{FilePath: "src/b.ts"}, xmem.ScannedFile{FilePath: "c.ts"})
	if outcome != (xmem.ScanOutcome{Written: 3}) {
		t.Errorf("the first scan: %+v", outcome)
	}
	if _, err := code.ApplyFiles(t.Context(), "acme", "other", xmem.ScannedFile{FilePath: "c.ts"}); err != nil {
		t.Fatal(err)
	}
	outcome = scan(t, code, kept, xmem.ScannedFile{FilePath: "src/b.ts", Language: "ts"})
	if outcome != (xmem.ScanOutcome{Written: 1, Unchanged: 1, Removed: 1}) {
		t.Errorf("the second scan: %+v", outcome)
	}
	expectFields(t, db, "code_files", "file_path",
		`{"file_path":"c.ts","org_id":"acme","repo":"other"}`,
		`{"calls":[{"from":"Cart","to":{"file_path":"src/b.ts","symbol_name":"sum"},"call_count":1}],`+
			`"file_path":"src/a.ts","imports":[{"file_path":"src/b.ts","import_type":"named"}],`+
			`"org_id":"acme","repo":"shop",`+
			`"symbols":[{"symbol_name":"Cart","start_line":1,"is_public":true}],"total_lines":1}`,
		`{"file_path":"src/b.ts","language":"ts","org_id":"acme","repo":"shop"}`)
	expectFields(t, db, "code_repositories", "repo_name",
		`{"org_id":"acme","repo_name":"other"}`, `{"org_id":"acme","repo_name":"shop"}`)
	expectEvents(t, db,
		"upsert code-repository", "upsert code-file", "upsert code-file", "upsert code-file",
		"upsert code-repository", "upsert code-file",
		"delete code-file", "upsert code-file")
}

func TestAScannedFileKeepsItsAggregate(t *testing.T) {
	t.Parallel()
	db := testdb.New(t)
	code := xmem.NewCodeGraph(db)
	scan(t, code, xmem.ScannedFile{FilePath: "a.ts"})
	scan(t, code, xmem.ScannedFile{FilePath: "a.ts", Language: "ts"})
	recorded := testdb.All(t, db, outgraph.OutboxCollection, "position")
	first, second := recorded[1].Lookup("aggregateId").StringValue(), recorded[2].Lookup("aggregateId").StringValue()
	if first != second {
		t.Errorf("the aggregate of the file was %s and is now %s", first, second)
	}
}

func TestApplyFilesKeepsOtherFiles(t *testing.T) {
	t.Parallel()
	db := testdb.New(t)
	code := xmem.NewCodeGraph(db)
	scan(t, code, xmem.ScannedFile{FilePath: "a.ts"}, xmem.ScannedFile{FilePath: "b.ts"})
	changed := xmem.ScannedFile{FilePath: "a.ts", Language: "ts"}
	outcome := must[xmem.ScanOutcome](t)(code.ApplyFiles(t.Context(), "acme", "shop", changed))
	if outcome != (xmem.ScanOutcome{Written: 1}) || len(testdb.All(t, db, "code_files", "_id")) != 2 {
		t.Errorf("%+v", outcome)
	}
	if outcome := scan(t, code); outcome != (xmem.ScanOutcome{Removed: 2}) {
		t.Errorf("an empty scan: %+v", outcome)
	}
}

func TestOneRefusedFilePreventsTheWholeScan(t *testing.T) {
	t.Parallel()
	db := testdb.New(t)
	code := xmem.NewCodeGraph(db)
	dangling := []xmem.Reference{{From: "none", To: xmem.SymbolName{FilePath: "a.ts", Name: "x"}}}
	wrong := []xmem.ScannedFile{{FilePath: "a.ts"}, {FilePath: "b.ts", Inherits: dangling}}
	_, err := code.ApplyScan(t.Context(), "acme", "shop", wrong)
	expectRefused(t, err, "payload.inherits[0].from")
	twice := []xmem.ScannedFile{{FilePath: "a.ts"}, {FilePath: "a.ts"}}
	_, err = code.ApplyScan(t.Context(), "acme", "shop", twice)
	expectRefused(t, err, "files[1].file_path")
	_, err = code.ApplyScan(t.Context(), "acme", "", nil)
	expectRefused(t, err, "repo")
	var many xmem.ScannedFile
	many.FilePath = "big.ts"
	for index := range 5_000 {
		many.Symbols = append(many.Symbols, xmem.Symbol{Name: fmt.Sprint(index)})
	}
	_, err = code.ApplyFiles(t.Context(), "acme", "shop", many)
	if !errors.Is(err, &outgraph.Fault{Code: outgraph.CodeSubgraphTooLarge}) {
		t.Errorf("%v", err)
	}
	// Each symbol is two elements. The file, its directory and their two relationships are four.
	many.Symbols = many.Symbols[:4_998]
	if err := xmemCheck(t, many); err != nil {
		t.Errorf("10,000 elements: %v", err)
	}
	expectEvents(t, db)
	for _, collection := range []string{"code_repositories", "code_files"} {
		if count := len(testdb.All(t, db, collection, "_id")); count != 0 {
			t.Errorf("%s contains %d documents", collection, count)
		}
	}
}

func TestARenamedFileKeepsItsAggregateAndReplacesTheOther(t *testing.T) {
	t.Parallel()
	db := testdb.New(t)
	if err := xmem.EnsureIndexes(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	code := xmem.NewCodeGraph(db)
	one := 1
	to := func(path string) xmem.Call {
		reference := xmem.Reference{From: "f", To: xmem.SymbolName{FilePath: path, Name: "f"}}
		return xmem.Call{Reference: reference, Count: &one}
	}
	scan(t, code,
		xmem.ScannedFile{
			FilePath: "a.ts", Symbols: []xmem.Symbol{{Name: "f"}}, Calls: []xmem.Call{to("a.ts"), to("c.ts")},
		},
		xmem.ScannedFile{FilePath: "b.ts"})
	rename := func(from, to string) bool {
		t.Helper()
		return must[bool](t)(code.RenameFile(t.Context(), "acme", "shop", from, to))
	}
	if !rename("a.ts", "b.ts") || rename("a.ts", "c.ts") || !rename("b.ts", "b.ts") {
		t.Error("the wrong file was found")
	}
	expectFields(t, db, "code_files", "_id",
		`{"calls":[{"from":"f","to":{"file_path":"b.ts","symbol_name":"f"},"call_count":1},`+
			`{"from":"f","to":{"file_path":"c.ts","symbol_name":"f"},"call_count":1}],`+
			`"file_path":"b.ts","org_id":"acme","repo":"shop","symbols":[{"symbol_name":"f"}]}`)
	expectEvents(t, db,
		"upsert code-repository", "upsert code-file", "upsert code-file", "delete code-file", "upsert code-file")
	recorded := testdb.All(t, db, outgraph.OutboxCollection, "position")
	if recorded[4].Lookup("aggregateId").StringValue() != recorded[1].Lookup("aggregateId").StringValue() {
		t.Error("the renamed file became another aggregate")
	}
	_, err := code.RenameFile(t.Context(), "acme", "shop", "b.ts", "src/")
	expectRefused(t, err, "file_path")
}

func TestDeletingAMissingFileAnnotationOrRepositorySucceeds(t *testing.T) {
	t.Parallel()
	db := testdb.New(t)
	code := xmem.NewCodeGraph(db)
	scan(t, code, xmem.ScannedFile{FilePath: "a.ts"}, xmem.ScannedFile{FilePath: "b.ts"})
	on := func(id string, target xmem.Target) xmem.NewAnnotation {
		return xmem.NewAnnotation{ID: id, OrgID: "acme", Repo: "shop", Target: target}
	}
	note := on("n1", xmem.OfSymbol("a.ts", "f"))
	note.CreatedAt = time.UnixMilli(0)
	for _, content := range []string{"slow", "slow", "slower"} {
		note.Content = content
		if err := code.PutAnnotation(t.Context(), note); err != nil {
			t.Fatal(err)
		}
	}
	for id, target := range map[string]xmem.Target{"n2": xmem.OfFile("a.ts"), "n3": xmem.OfDirectory("/")} {
		if err := code.PutAnnotation(t.Context(), on(id, target)); err != nil {
			t.Fatal(err)
		}
	}
	expectFields(t, db, "code_annotations", "annotation_id",
		`{"annotation_id":"n1","content":"slower","created_at":{"$date":"1970-01-01T00:00:00Z"},`+
			`"org_id":"acme","repo":"shop","target":{"kind":"symbol","file_path":"a.ts","symbol_name":"f"}}`,
		`{"annotation_id":"n2","org_id":"acme","repo":"shop","target":{"kind":"file","file_path":"a.ts"}}`,
		`{"annotation_id":"n3","org_id":"acme","repo":"shop","target":{"kind":"directory","dir_path":"/"}}`)
	if got := len(events(t, db)); got != 3+4 {
		t.Errorf("%d events: an unchanged annotation must not have one", got)
	}
	err := code.PutAnnotation(t.Context(), on("n4", xmem.OfDirectory("src")))
	expectRefused(t, err, "payload.target.dir_path")
	expectRefused(t, code.PutAnnotation(t.Context(), on("", xmem.OfFile("a.ts"))), "annotation_id")

	for _, expected := range []bool{true, false} {
		if deleted := must[bool](t)(code.DeleteAnnotation(t.Context(), "n1")); deleted != expected {
			t.Errorf("DeleteAnnotation returns %t, not %t", deleted, expected)
		}
		if deleted := must[bool](t)(code.DeleteFile(t.Context(), "acme", "shop", "a.ts")); deleted != expected {
			t.Errorf("DeleteFile returns %t, not %t", deleted, expected)
		}
	}
	for range 2 {
		if err := code.DeleteRepository(t.Context(), "acme", "shop"); err != nil {
			t.Fatal(err)
		}
	}
	for _, collection := range []string{"code_repositories", "code_files", "code_annotations"} {
		expectFields(t, db, collection, "_id")
	}
	if got := len(events(t, db)); got != 7+2+4 {
		t.Errorf("%d events", got)
	}
}

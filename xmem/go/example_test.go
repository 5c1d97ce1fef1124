package xmem_test

import (
	"context"
	"os"
	"strings"
	"testing"

	outgraph "outgraph.example/writers/go"
	xmem "outgraph.example/xmem/go"
	"outgraph.example/xmem/go/internal/testdb"

	"go.mongodb.org/mongo-driver/v2/mongo"
)

func birthday(ctx context.Context, db *mongo.Database) error {
	memory, code := xmem.NewMemory(db), xmem.NewCodeGraph(db)
	added := xmem.NewEvent{UserID: "ada", Date: "12-10", Name: "birthday", Year: 1815}
	id, err := memory.AddEvent(ctx, added)
	if err != nil {
		return err
	}
	if _, err := memory.MoveEvent(ctx, id, "12-11"); err != nil {
		return err
	}
	cart := xmem.ScannedFile{FilePath: "src/a.ts", Symbols: []xmem.Symbol{{Name: "Cart"}}}
	_, err = code.ApplyScan(ctx, "acme", "shop", []xmem.ScannedFile{cart})
	return err
}

func TestTheExampleWritesTheExpectedEvents(t *testing.T) {
	t.Parallel()
	db := testdb.New(t)
	write := func(ctx context.Context) error { return birthday(ctx, db) }
	if err := outgraph.InTransaction(t.Context(), db.Client(), write); err != nil {
		t.Fatal(err)
	}
	expectFields(t, db, "memory_events", "_id", `{"date":"12-11","event_name":"birthday","user_id":"ada","year":1815}`)
	expectEvents(t, db, "upsert memory-event", "upsert memory-event", "upsert code-repository", "upsert code-file")
}

func TestTheREADMEContainsTheTestedExample(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	code, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	_, block, _ := strings.Cut(string(readme), "```go\n")
	example, _, closed := strings.Cut(block, "\n```")
	indented := "\t" + strings.ReplaceAll(example, "\n", "\n\t")
	if !closed || !strings.Contains(string(code), indented) {
		t.Errorf("no test runs this example:\n%s", example)
	}
}

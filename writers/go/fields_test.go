package outgraph_test

import (
	"errors"
	"testing"

	outgraph "outgraph.example/writers/go"
	"outgraph.example/writers/go/internal/testdb"
)

func TestAPathIsRefusedAsADeclaredField(t *testing.T) {
	t.Parallel()
	db := testdb.New(t)
	declared := note
	declared.Fields = []string{"home.city"}
	_, err := outgraph.Track(db, declared).InsertOne(t.Context(), byID("a"))
	if !errors.Is(err, &outgraph.Fault{Code: outgraph.CodeEventInvalid}) {
		t.Error(err)
	}
	expectEvents(t, db)
}

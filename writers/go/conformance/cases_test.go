package conformance

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	outgraph "outgraph.example/writers/go"
	"outgraph.example/writers/go/internal/testdb"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
)

// readCases reads a table, with each value in its BSON type.
func readCases[Case any](t *testing.T, table string) []Case {
	t.Helper()
	text, err := os.ReadFile(testdb.Repository("test", "conformance", table+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var read struct {
		Cases []Case `bson:"cases"`
	}
	if err := bson.UnmarshalExtJSON(text, true, &read); err != nil {
		t.Fatal(err)
	}
	if len(read.Cases) == 0 {
		t.Fatalf("%s.json contains no case", table)
	}
	return read.Cases
}

// errNotOffered is the refusal of a verb that this library does not have: the compiler refuses it.
var errNotOffered = errors.New("not offered")

// refusalOf returns the name that the tables use for an error.
func refusalOf(err error) string {
	var fault *outgraph.Fault
	var server mongo.ServerError
	switch {
	case err == nil:
		return ""
	case errors.Is(err, errNotOffered):
		return string(outgraph.CodeUntracked)
	case errors.Is(err, outgraph.ErrInvalidCall):
		return "invalid-call"
	case errors.As(err, &fault):
		return string(fault.Code)
	case mongo.IsDuplicateKeyError(err):
		return "duplicate-key"
	case errors.As(err, &server) && server.HasErrorCode(121):
		return "validator"
	}
	return err.Error()
}

// expectOutcome compares a refusal with the expected one. The message must contain the path at.
func expectOutcome(t *testing.T, err error, refused, at string) {
	t.Helper()
	if got := refusalOf(err); got != refused {
		t.Fatalf("refused with %q, not with %q: %v", got, refused, err)
	}
	if at != "" && !strings.Contains(err.Error(), at) {
		t.Fatalf("%q does not name %s", err, at)
	}
}

// inTransaction runs work with the driver's own WithTransaction and its default options.
func inTransaction(ctx context.Context, client *mongo.Client, work func(ctx context.Context) error) error {
	session, err := client.StartSession()
	if err != nil {
		return err
	}
	defer session.EndSession(ctx)
	_, err = session.WithTransaction(ctx, func(ctx context.Context) (any, error) { return nil, work(ctx) })
	return err
}

// expectNoCommit ignores the error of the work and commits: the commit must be refused.
func expectNoCommit(t *testing.T, client *mongo.Client, work func(ctx context.Context) error) {
	t.Helper()
	session, err := client.StartSession()
	if err != nil {
		t.Fatal(err)
	}
	defer session.EndSession(t.Context())
	if err := session.StartTransaction(); err != nil {
		t.Fatal(err)
	}
	ctx := mongo.NewSessionContext(t.Context(), session)
	if err := work(ctx); err == nil {
		t.Error("it was not refused")
	}
	if err := session.CommitTransaction(ctx); err == nil {
		t.Error("the transaction was committed")
	}
}

// empty deletes all documents of the collections, for the next case.
func empty(t *testing.T, db *mongo.Database, collections ...string) {
	t.Helper()
	for _, name := range collections {
		if _, err := db.Collection(name).DeleteMany(t.Context(), bson.D{}); err != nil {
			t.Fatal(err)
		}
	}
}

func expectCounts(t *testing.T, db *mongo.Database, wanted int, collections ...string) {
	t.Helper()
	for _, name := range collections {
		if got := len(testdb.All(t, db, name, "_id")); got != wanted {
			t.Errorf("%s holds %d documents, not %d", name, got, wanted)
		}
	}
}

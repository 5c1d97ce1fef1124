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

// readCases reads a table: each value in the BSON type that it stands for.
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
		t.Fatalf("%s.json holds no case", table)
	}
	return read.Cases
}

// errNotOffered stands for what this library has no way to say: the compiler refuses it.
var errNotOffered = errors.New("not offered")

// refusalOf is the code that the tables know an error by.
func refusalOf(err error) string {
	var fault *outgraph.Fault
	var server mongo.ServerError
	switch {
	case err == nil:
		return ""
	case errors.Is(err, errNotOffered):
		return string(outgraph.CodeUntracked)
	case errors.As(err, &fault):
		return string(fault.Code)
	case mongo.IsDuplicateKeyError(err):
		return "duplicate-key"
	case errors.As(err, &server) && server.HasErrorCode(121):
		return "validator"
	}
	return err.Error()
}

// expectOutcome compares a refusal with the one that the case wants, and its message with the path that it must name.
func expectOutcome(t *testing.T, err error, refused, at string) {
	t.Helper()
	if got := refusalOf(err); got != refused {
		t.Fatalf("refused with %q, not with %q: %v", got, refused, err)
	}
	if at != "" && !strings.Contains(err.Error(), at) {
		t.Fatalf("%q does not name %s", err, at)
	}
}

// inTransaction is the driver's own way, with the options that it has by default.
func inTransaction(ctx context.Context, client *mongo.Client, work func(ctx context.Context) error) error {
	session, err := client.StartSession()
	if err != nil {
		return err
	}
	defer session.EndSession(ctx)
	_, err = session.WithTransaction(ctx, func(ctx context.Context) (any, error) { return nil, work(ctx) })
	return err
}

// expectNoCommit catches the error of the work, and commits all the same: the commit must be refused, if there is
// anything to commit.
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

// empty removes all documents of the collections, for the next case.
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

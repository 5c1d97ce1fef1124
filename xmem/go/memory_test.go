package xmem_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	outgraph "outgraph.example/writers/go"
	xmem "outgraph.example/xmem/go"
	"outgraph.example/xmem/go/internal/testdb"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
)

// events describes the events of the outbox, in the order of their positions, such as "upsert memory-event".
func events(t *testing.T, db *mongo.Database) []string {
	t.Helper()
	var read []string
	for _, event := range testdb.All(t, db, outgraph.OutboxCollection, "position") {
		read = append(read, event.Lookup("operation").StringValue()+" "+event.Lookup("aggregateType").StringValue())
	}
	return read
}

func expectEvents(t *testing.T, db *mongo.Database, wanted ...string) {
	t.Helper()
	if got := events(t, db); strings.Join(got, ", ") != strings.Join(wanted, ", ") {
		t.Errorf("the outbox contains %q, not %q", got, wanted)
	}
}

// expectFields compares the documents of a collection without their ids. The fields of each are sorted by name.
func expectFields(t *testing.T, db *mongo.Database, collection, order string, wanted ...string) {
	t.Helper()
	var got []string
	for _, document := range testdb.All(t, db, collection, order) {
		var fields bson.D
		if err := bson.Unmarshal(document, &fields); err != nil {
			t.Fatal(err)
		}
		// The server sorts the fields of $setOnInsert.
		slices.SortFunc(fields, func(left, right bson.E) int { return strings.Compare(left.Key, right.Key) })
		text, err := bson.MarshalExtJSON(fields[1:], false, false)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(text))
	}
	if strings.Join(got, "\n") != strings.Join(wanted, "\n") {
		t.Errorf("%s contains\n%s\nnot\n%s", collection, strings.Join(got, "\n"), strings.Join(wanted, "\n"))
	}
}

func expectRefused(t *testing.T, err error, at string) {
	t.Helper()
	if !errors.Is(err, &outgraph.Fault{Code: outgraph.CodePayloadInvalid}) || !strings.Contains(err.Error(), at) {
		t.Errorf("%v is not a refusal that names %s", err, at)
	}
}

// add adds events, and returns their ids.
func add(t *testing.T, memory *xmem.Memory, added ...xmem.NewEvent) []any {
	t.Helper()
	var ids []any
	for _, event := range added {
		id, err := memory.AddEvent(t.Context(), event)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	return ids
}

func must[Result any](t *testing.T) func(result Result, err error) Result {
	return func(result Result, err error) Result {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return result
	}
}

func TestAnUpdateChangesOneEventOfADayAndClearsNilFields(t *testing.T) {
	t.Parallel()
	db := testdb.New(t)
	memory := xmem.NewMemory(db)
	ids := add(t, memory,
		xmem.NewEvent{ID: "1", UserID: "ada", Date: "12-10", Name: "birthday", Desc: "hers", Year: 1815},
		xmem.NewEvent{
			ID: "2", UserID: "ada", Date: "12-10", Name: "birthday", Year: "1815", Embedding: []float64{1, 0.5},
		},
	)
	if !must[bool](t)(memory.UpdateEvent(t.Context(), ids[0], bson.M{"desc": nil, "time": "09:00"})) {
		t.Error("the event was not found")
	}
	expectFields(t, db, "memory_events", "_id",
		`{"date":"12-10","event_name":"birthday","time":"09:00","user_id":"ada","year":1815}`,
		`{"date":"12-10","embedding":[1.0,0.5],"event_name":"birthday","user_id":"ada","year":"1815"}`)
	expectEvents(t, db, "upsert memory-event", "upsert memory-event", "upsert memory-event")

	for _, same := range []bson.M{{"time": "09:00"}, {}} {
		if !must[bool](t)(memory.UpdateEvent(t.Context(), ids[0], same)) {
			t.Errorf("an event that does not change was not found: %v", same)
		}
	}
	if must[bool](t)(memory.UpdateEvent(t.Context(), "none", bson.M{"desc": "x"})) {
		t.Error("an event that does not exist was updated")
	}
	_, err := memory.UpdateEvent(t.Context(), ids[0], bson.M{"user_id": "eve"})
	expectRefused(t, err, "user_id")
	_, err = memory.UpdateEvent(t.Context(), ids[0], bson.M{"date": nil})
	expectRefused(t, err, "date")
	if got := len(events(t, db)); got != 3 {
		t.Errorf("%d events", got)
	}
}

func TestAMoveIsOneEventOfOneAggregate(t *testing.T) {
	t.Parallel()
	db := testdb.New(t)
	memory := xmem.NewMemory(db)
	ids := add(t, memory, xmem.NewEvent{UserID: "ada", Date: "12-10"})
	move := func(id any) bool {
		t.Helper()
		return must[bool](t)(memory.MoveEvent(t.Context(), id, "02-29"))
	}
	if !move(ids[0]) || move("none") {
		t.Error("the wrong event was found")
	}
	expectFields(t, db, "memory_events", "_id", `{"date":"02-29","user_id":"ada"}`)
	expectEvents(t, db, "upsert memory-event", "upsert memory-event")
}

func TestAnInvalidDateIsRefused(t *testing.T) {
	t.Parallel()
	db := testdb.New(t)
	memory := xmem.NewMemory(db)
	ids := add(t, memory, xmem.NewEvent{UserID: "ada", Date: "12-10"})
	for _, date := range []string{"02-30", "2026-05-11", "13-01", "00-10", "1-1", "", "1:-10"} {
		_, err := memory.AddEvent(t.Context(), xmem.NewEvent{UserID: "ada", Date: date})
		expectRefused(t, err, "payload.date")
		_, err = memory.MoveEvent(t.Context(), ids[0], date)
		expectRefused(t, err, "date")
		_, err = memory.UpdateEvent(t.Context(), ids[0], bson.M{"date": date})
		expectRefused(t, err, "payload.date")
		_, err = memory.DeleteEventsByDate(t.Context(), "ada", date)
		expectRefused(t, err, "date")
	}
	expectFields(t, db, "memory_events", "_id", `{"date":"12-10","user_id":"ada"}`)
	expectEvents(t, db, "upsert memory-event")
}

func TestDeletionsRemoveOnlyTheUsersEvents(t *testing.T) {
	t.Parallel()
	db := testdb.New(t)
	memory := xmem.NewMemory(db)
	ids := add(t, memory,
		xmem.NewEvent{ID: "1", UserID: "ada", Date: "12-10", Name: "birthday"},
		xmem.NewEvent{ID: "2", UserID: "ada", Date: "12-10", Name: "birthday"},
		xmem.NewEvent{ID: "3", UserID: "ada", Date: "12-10", Name: ""},
		xmem.NewEvent{ID: "4", UserID: "ada", Date: "01-01", Name: "birthday"},
		xmem.NewEvent{ID: "5", UserID: "eve", Date: "12-10", Name: "birthday"},
	)
	first := must[bool](t)(memory.DeleteEvent(t.Context(), ids[0]))
	second := must[bool](t)(memory.DeleteEvent(t.Context(), ids[0]))
	if !first || second {
		t.Error("only the first of two deletions should find the event")
	}
	for _, empty := range []func() (int64, error){
		func() (int64, error) { return memory.DeleteEventsByName(t.Context(), "ada", "") },
		func() (int64, error) { return memory.DeleteEventsByName(t.Context(), "", "birthday") },
		func() (int64, error) { return memory.DeleteEventsByDate(t.Context(), "", "12-10") },
		func() (int64, error) { return memory.ClearUser(t.Context(), "") },
	} {
		_, err := empty()
		expectRefused(t, err, "must be a text that is not empty")
	}
	if count := must[int64](t)(memory.DeleteEventsByName(t.Context(), "ada", "birthday")); count != 2 {
		t.Errorf("%d by name", count)
	}
	if count := must[int64](t)(memory.DeleteEventsByDate(t.Context(), "ada", "12-10")); count != 1 {
		t.Errorf("%d by date", count)
	}
	add(t, memory, xmem.NewEvent{UserID: "ada", Date: "03-03"}, xmem.NewEvent{UserID: "ada", Date: "04-04"})
	if count := must[int64](t)(memory.ClearUser(t.Context(), "ada")); count != 2 {
		t.Errorf("%d cleared", count)
	}
	if count := must[int64](t)(memory.ClearUser(t.Context(), "ada")); count != 0 {
		t.Errorf("%d cleared, but the user has no events", count)
	}
	expectFields(t, db, "memory_events", "_id", `{"date":"12-10","event_name":"birthday","user_id":"eve"}`)
}

func TestConcurrentCallsCreateAUserAndAnEventOnce(t *testing.T) {
	t.Parallel()
	db := testdb.New(t)
	if err := xmem.EnsureIndexes(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	if err := xmem.EnsureIndexes(t.Context(), db); err != nil {
		t.Fatalf("again: %v", err)
	}
	memory := xmem.NewMemory(db)
	var running sync.WaitGroup
	for range 4 {
		running.Go(func() {
			if err := memory.AddUser(t.Context(), "ada"); err != nil {
				t.Error(err)
			}
			added := xmem.NewEvent{ID: "1", UserID: "ada", Date: "12-10"}
			if _, err := memory.AddEvent(t.Context(), added); err != nil {
				t.Error(err)
			}
		})
	}
	running.Wait()
	expectFields(t, db, "memory_users", "_id", `{"user_id":"ada"}`)
	if got := len(events(t, db)); got != 2 {
		t.Errorf("%d events", got)
	}
	expectRefused(t, memory.AddUser(t.Context(), ""), "user_id")
}

func TestOperationsJoinTheCallersTransaction(t *testing.T) {
	t.Parallel()
	db := testdb.New(t)
	const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	traced := xmem.WithTraceparent(func(context.Context) string { return traceparent })
	memory, code := xmem.NewMemory(db, traced), xmem.NewCodeGraph(db, traced)
	fail := errors.New("the caller's work fails")
	write := func(ctx context.Context) error {
		if err := memory.AddUser(ctx, "ada"); err != nil {
			return err
		}
		if _, err := code.ApplyFiles(ctx, "acme", "shop", xmem.ScannedFile{FilePath: "a.ts"}); err != nil {
			return err
		}
		return fail
	}
	if err := outgraph.InTransaction(t.Context(), db.Client(), write); !errors.Is(err, fail) {
		t.Fatal(err)
	}
	expectEvents(t, db)
	fail = nil
	if err := outgraph.InTransaction(t.Context(), db.Client(), write); err != nil {
		t.Fatal(err)
	}
	expectEvents(t, db, "upsert memory-user", "upsert code-repository", "upsert code-file")
	for _, event := range testdb.All(t, db, outgraph.OutboxCollection, "position") {
		if got := event.Lookup("traceparent").StringValue(); got != traceparent {
			t.Errorf("traceparent %s", got)
		}
	}
}

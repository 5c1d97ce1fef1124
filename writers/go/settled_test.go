package outgraph_test

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	outgraph "outgraph.example/writers/go"
	"outgraph.example/writers/go/internal/testdb"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/event"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// consume plays the consumer: it marks events as processed until the returned function is called.
func consume(db *mongo.Database) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for ctx.Err() == nil {
			processed := bson.D{{Key: "status", Value: "processed"}, {Key: "processedAt", Value: time.Now()}}
			// An error shows as a wait that times out.
			_, _ = db.Collection(outgraph.OutboxCollection).UpdateMany(ctx,
				bson.D{{Key: "status", Value: "pending"}}, bson.D{{Key: "$set", Value: processed}})
			select {
			case <-ctx.Done():
			case <-time.After(20 * time.Millisecond):
			}
		}
	}()
	return func() {
		cancel()
		<-ended
	}
}

func within(t *testing.T, limit time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	t.Cleanup(cancel)
	return ctx
}

func idsOfEvents(t *testing.T, db *mongo.Database) []bson.ObjectID {
	t.Helper()
	var ids []bson.ObjectID
	for _, event := range testdb.All(t, db, outgraph.OutboxCollection, "position") {
		ids = append(ids, event.Lookup("_id").ObjectID())
	}
	return ids
}

func TestSettledReturnsWhenTheEventsOfEveryVerbAreApplied(t *testing.T) {
	t.Parallel()
	db := testdb.New(t)
	notes := outgraph.Track(db, note)
	defer consume(db)()
	var ids []bson.ObjectID
	ctx := outgraph.WithEventIDs(t.Context(), &ids)
	calls := []func() error{
		func() error { _, err := notes.InsertOne(ctx, byID("a")); return err },
		func() error { _, err := notes.InsertMany(ctx, []bson.D{byID("b"), byID("c")}); return err },
		func() error { _, err := notes.UpdateOne(ctx, byID("a"), set("n", 1)); return err },
		func() error { _, err := notes.ReplaceOne(ctx, byID("b"), bson.D{{Key: "n", Value: 1}}); return err },
		func() error { return notes.FindOneAndUpdate(ctx, byID("c"), set("n", 1)).Err() },
		func() error { _, err := notes.UpdateMany(ctx, bson.D{}, set("n", 2)); return err },
		func() error { _, err := notes.DeleteOne(ctx, byID("a")); return err },
		func() error { _, err := notes.DeleteMany(ctx, bson.D{}); return err },
	}
	for _, call := range calls {
		if err := call(); err != nil {
			t.Fatal(err)
		}
	}
	if recorded := idsOfEvents(t, db); len(ids) != 12 || !slices.Equal(ids, recorded) {
		t.Fatalf("it collected %v, not %v", ids, recorded)
	}
	if err := outgraph.Settled(within(t, time.Minute), db, ids...); err != nil {
		t.Fatal(err)
	}
	for _, event := range testdb.All(t, db, outgraph.OutboxCollection, "position") {
		if status := event.Lookup("status").StringValue(); status != "processed" {
			t.Errorf("an event is %s", status)
		}
	}
}

// An attempt that the driver retries.
var errConflict = mongo.CommandError{Message: "a conflict", Labels: []string{"TransientTransactionError"}}

func TestOnlyTheIDsOfCommittedEventsAreCollected(t *testing.T) {
	t.Parallel()
	db := testdb.New(t)
	var ids []bson.ObjectID
	ctx := outgraph.WithEventIDs(t.Context(), &ids)
	attempts := 0
	record := func(ctx context.Context) error {
		changes := []outgraph.Change{outgraph.Delete("a"), outgraph.Delete("b")}
		if err := outgraph.RecordEvents(ctx, db, note, changes); err != nil {
			return err
		}
		if attempts++; attempts == 1 {
			return errConflict
		}
		return nil
	}
	if err := outgraph.InTransaction(ctx, db.Client(), record); err != nil {
		t.Fatal(err)
	}
	fail := errors.New("the writer aborts")
	err := outgraph.InTransaction(ctx, db.Client(), func(ctx context.Context) error {
		return errors.Join(outgraph.RecordEvent(ctx, db, note, outgraph.Delete("c")), fail)
	})
	if !errors.Is(err, fail) {
		t.Fatal(err)
	}
	if recorded := idsOfEvents(t, db); attempts != 2 || len(ids) != 2 || !slices.Equal(ids, recorded) {
		t.Errorf("%d attempts: it collected %v, not %v", attempts, ids, recorded)
	}
}

func TestATransactionOfTheDriverCollectsTheIDsOfItsLastRun(t *testing.T) {
	t.Parallel()
	db := testdb.New(t)
	var ids, outer []bson.ObjectID
	attempts := 0
	ctx := outgraph.WithEventIDs(t.Context(), &outer)
	err := db.Client().UseSession(ctx, func(ctx context.Context) error {
		_, err := mongo.SessionFromContext(ctx).WithTransaction(ctx, func(ctx context.Context) (any, error) {
			ctx = outgraph.WithEventIDs(ctx, &ids)
			if err := outgraph.RecordEvent(ctx, db, note, outgraph.Delete("a")); err != nil {
				return nil, err
			}
			if attempts++; attempts == 1 {
				return nil, errConflict
			}
			return nil, nil
		})
		return err
	})
	if recorded := idsOfEvents(t, db); err != nil || attempts != 2 || len(ids) != 1 || !slices.Equal(ids, recorded) {
		t.Errorf("%v, %d attempts: it collected %v, not %v", err, attempts, ids, recorded)
	}
	if len(outer) != 2 || outer[1] != ids[0] {
		t.Errorf("around it, %v were collected, without %v", outer, ids)
	}
}

func TestAWriteWithoutAnEventIsSettledAtOnce(t *testing.T) {
	t.Parallel()
	db := testdb.New(t)
	var ids []bson.ObjectID
	if _, err := outgraph.Track(db, note).DeleteMany(outgraph.WithEventIDs(t.Context(), &ids), bson.D{}); err != nil {
		t.Fatal(err)
	}
	if err := outgraph.Settled(within(t, 0), db, ids...); err != nil {
		t.Error(err)
	}
}

func TestSettledReturnsTheCodeOfADeadEvent(t *testing.T) {
	t.Parallel()
	db := testdb.New(t)
	id := recordOne(t, db)
	reason := bson.D{{Key: "code", Value: "label-not-declared"}, {Key: "message", Value: "Note: has no constraint"}}
	dead := bson.D{
		{Key: "status", Value: "dead"}, {Key: "deadAt", Value: time.Now()}, {Key: "error", Value: reason},
	}
	outbox := db.Collection(outgraph.OutboxCollection)
	if _, err := outbox.UpdateByID(t.Context(), id, bson.D{{Key: "$set", Value: dead}}); err != nil {
		t.Fatal(err)
	}
	err := outgraph.Settled(within(t, time.Minute), db, id)
	if !errors.Is(err, &outgraph.Fault{Code: "label-not-declared"}) || !strings.Contains(err.Error(), "no constraint") {
		t.Error(err)
	}
}

// recordOne inserts a document and returns the id of its event.
func recordOne(t *testing.T, db *mongo.Database) bson.ObjectID {
	t.Helper()
	var ids []bson.ObjectID
	if _, err := outgraph.Track(db, note).InsertOne(outgraph.WithEventIDs(t.Context(), &ids), byID("a")); err != nil {
		t.Fatal(err)
	}
	return ids[0]
}

func TestAnEventThatWasFoundAndIsMissingLaterWasAppliedAndPurged(t *testing.T) {
	t.Parallel()
	db := testdb.New(t)
	id := recordOne(t, db)
	purged := make(chan error, 1)
	purge := func(ctx context.Context, answered *event.CommandSucceededEvent) {
		if answered.CommandName == "find" && len(purged) == 0 {
			_, err := db.Collection(outgraph.OutboxCollection).DeleteOne(ctx, bson.D{{Key: "_id", Value: id}})
			purged <- err
		}
	}
	client, err := mongo.Connect(clientOptions(t).SetMonitor(&event.CommandMonitor{Succeeded: purge}))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Disconnect(context.WithoutCancel(t.Context()))
	if err := outgraph.Settled(within(t, time.Minute), client.Database(db.Name()), id); err != nil {
		t.Fatal(err)
	}
	if err := <-purged; err != nil {
		t.Error(err)
	}
}

func TestSettledReturnsNotSettledWhenItsContextIsDoneAndSaysWhatToCheck(t *testing.T) {
	t.Parallel()
	db := testdb.New(t)
	pending := recordOne(t, db)
	away, err := mongo.Connect(options.Client().ApplyURI("mongodb://127.0.0.1:1"))
	if err != nil {
		t.Fatal(err)
	}
	defer away.Disconnect(context.WithoutCancel(t.Context()))
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	cases := []struct {
		name string
		ctx  context.Context
		db   *mongo.Database
		ids  []bson.ObjectID
		done error
		says string
	}{
		{"pending", t.Context(), db, []bson.ObjectID{pending}, context.DeadlineExceeded, "Is the consumer running?"},
		{"not committed", t.Context(), db, []bson.ObjectID{pending, bson.NewObjectID()},
			context.DeadlineExceeded, "1 of them are not in the outbox"},
		{"away", t.Context(), away.Database("away"), []bson.ObjectID{pending},
			context.DeadlineExceeded, "MongoDB did not answer"},
		{"canceled", canceled, db, []bson.ObjectID{pending}, context.Canceled, "were not applied"},
	}
	for _, given := range cases {
		ctx, cancel := context.WithTimeout(given.ctx, time.Second)
		defer cancel()
		err := outgraph.Settled(ctx, given.db, given.ids...)
		if !errors.Is(err, &outgraph.Fault{Code: outgraph.CodeNotSettled}) || !errors.Is(err, given.done) ||
			!strings.Contains(err.Error(), given.says) {
			t.Errorf("%s: %v", given.name, err)
		}
	}
}

func TestSettledIsRefusedInTheTransactionOfItsEvents(t *testing.T) {
	t.Parallel()
	db := testdb.New(t)
	err := outgraph.InTransaction(t.Context(), db.Client(), func(ctx context.Context) error {
		return outgraph.Settled(ctx, db, bson.NewObjectID())
	})
	if !errors.Is(err, &outgraph.Fault{Code: outgraph.CodeNotSettled}) || !strings.Contains(err.Error(), "commit") {
		t.Error(err)
	}
}

func TestSettledEndsWithItsClient(t *testing.T) {
	t.Parallel()
	client, err := mongo.Connect(options.Client().ApplyURI(os.Getenv("MONGODB_URI")))
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Disconnect(t.Context()); err != nil {
		t.Fatal(err)
	}
	err = outgraph.Settled(t.Context(), client.Database("closed"), bson.NewObjectID())
	if !errors.Is(err, mongo.ErrClientDisconnected) {
		t.Error(err)
	}
}

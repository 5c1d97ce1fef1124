package outgraph

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readpref"
)

const (
	// An event is usually applied within some tens of milliseconds.
	firstPause = 10 * time.Millisecond
	// For events that take longer, so that an outage is not answered with a storm of queries.
	laterPause = 100 * time.Millisecond
	soon       = time.Second

	idsAtOnce = 1_000

	// The server's code of Unauthorized.
	unauthorized = 13
)

// Settled returns nil when every event, or a newer state of its aggregate, is in the graph. Call it after the commit,
// with the ids of [WithEventIDs] and the database of the documents. Without ids it returns at once.
//
//	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
//	defer cancel()
//	err := outgraph.Settled(ctx, db, eventIDs...)
//
// It waits until ctx is done: without a deadline, there is no time-out. Each call queries the outbox on its own: every
// 10 ms, and after a second every 100 ms. The user needs the MongoDB role "await" besides the writer's
// (docs/explanation/security.md).
//
// It returns a [Fault] with the event's own code if it is dead, with [CodeNotSettled] and the error of ctx when ctx is
// done, or with [CodePermissionDenied] if the user may not read the outbox. An event that is not settled in time is
// still applied later.
func Settled(ctx context.Context, db *mongo.Database, eventIDs ...bson.ObjectID) error {
	if session := mongo.SessionFromContext(ctx); session != nil && session.TransactionRunning() {
		return faultf(CodeNotSettled,
			"The transaction of this context is still running, and its events are applied after its commit: call "+
				"Settled then, with a context outside the transaction.")
	}
	outbox := db.Collection(OutboxCollection, options.Collection().SetReadPreference(readpref.Primary()))
	open := make(openEvents, len(eventIDs))
	for _, id := range eventIDs {
		open[id] = false
	}
	started := time.Now()
	answered := false
	var unanswered error
	for len(open) > 0 {
		err := open.look(ctx, outbox)
		if ends(err) {
			return err
		}
		switch {
		case err == nil:
			answered, unanswered = true, nil
		case !answered || !mongo.IsTimeout(err):
			// A server that is away may come back in time. A time-out after an answer is that of ctx.
			unanswered = err
		}
		if len(open) == 0 {
			return nil
		}
		pause := laterPause
		if time.Since(started) < soon {
			pause = firstPause
		}
		select {
		case <-ctx.Done():
			return open.notSettled(ctx.Err(), time.Since(started), unanswered)
		case <-time.After(pause):
		}
	}
	return nil
}

// openEvents are the ids of events that are not applied yet. Those that were found are true: if one is missing later,
// it was applied and purged.
type openEvents map[bson.ObjectID]bool

// look removes the events that are applied. It returns a [Fault] for a dead event and a missing right, and wraps the
// driver's errors.
func (open openEvents) look(ctx context.Context, outbox *mongo.Collection) error {
	ids := make([]bson.ObjectID, 0, len(open))
	for id := range open {
		ids = append(ids, id)
	}
	for chunk := range slices.Chunk(ids, idsAtOnce) {
		states, err := readStates(ctx, outbox, chunk)
		if err != nil {
			return nameMissingRight(fmt.Errorf("outgraph: reading events: %w", err))
		}
		for _, id := range chunk {
			if err := open.judge(id, states[id]); err != nil {
				return err
			}
		}
	}
	return nil
}

// readStates returns the stored status and error of each event that exists.
func readStates(
	ctx context.Context, outbox *mongo.Collection, ids []bson.ObjectID,
) (map[bson.ObjectID]bson.Raw, error) {
	fields := bson.D{{Key: "status", Value: 1}, {Key: "error.code", Value: 1}, {Key: "error.message", Value: 1}}
	filter := bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: ids}}}}
	cursor, err := outbox.Find(ctx, filter, options.Find().SetProjection(fields))
	if err != nil {
		return nil, err
	}
	defer cursor.Close(context.WithoutCancel(ctx))
	states := make(map[bson.ObjectID]bson.Raw, len(ids))
	for cursor.Next(ctx) {
		state := slices.Clone(cursor.Current)
		states[state.Lookup("_id").ObjectID()] = state
	}
	return states, cursor.Err()
}

func (open openEvents) judge(id bson.ObjectID, state bson.Raw) error {
	status, _ := state.Lookup("status").StringValueOK()
	switch {
	case state == nil && open[id], status == "processed":
		delete(open, id)
	case state == nil:
		// Not committed yet, or never.
	case status == "dead":
		code, known := state.Lookup("error", "code").StringValueOK()
		if !known {
			code = "apply-failed"
		}
		message, _ := state.Lookup("error", "message").StringValueOK()
		return faultf(Code(code), "The event %s is dead: %s", id.Hex(), message)
	default:
		open[id] = true
	}
	return nil
}

// ends reports whether another query cannot help.
func ends(err error) bool {
	var fault *Fault
	return errors.As(err, &fault) || errors.Is(err, mongo.ErrClientDisconnected)
}

func nameMissingRight(err error) error {
	var failure mongo.ServerError
	if !errors.As(err, &failure) || !failure.HasErrorCode(unauthorized) {
		return err
	}
	fault := faultf(CodePermissionDenied,
		"MongoDB does not let this user read the outbox, which waiting for events needs. Grant it the role of the "+
			`part "await" too (docs/explanation/security.md).`)
	fault.Err = err
	return fault
}

func (open openEvents) notSettled(done error, waited time.Duration, unanswered error) error {
	unknown := 0
	for _, found := range open {
		if !found {
			unknown++
		}
	}
	why := "Is the consumer running?"
	switch {
	case unanswered != nil:
		why = "MongoDB did not answer."
	case unknown > 0:
		why = fmt.Sprintf(
			"%d of them are not in the outbox: wait after the commit, and for events of this database.", unknown)
	}
	fault := faultf(CodeNotSettled,
		"%d events were not applied within %v. %s", len(open), waited.Round(time.Millisecond), why)
	fault.Err = errors.Join(done, unanswered)
	return fault
}

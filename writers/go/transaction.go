package outgraph

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readconcern"
	"go.mongodb.org/mongo-driver/v2/mongo/readpref"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"
)

// InTransaction runs work in the running transaction of the session in ctx. Without one, it starts a new transaction
// with read concern snapshot and write concern majority. A new transaction is retried as a whole after a conflict or a
// failover, so work may run more than once. In work, use the context that it receives.
//
//	err := outgraph.InTransaction(ctx, db.Client(), func(ctx context.Context) error {
//		if _, err := people.InsertOne(ctx, bson.M{"_id": "ada"}); err != nil {
//			return err
//		}
//		_, err := orders.InsertOne(ctx, bson.M{"_id": "o1", "customer": "ada"})
//		return err
//	})
//
// It returns the error of work or of the driver. If work ignores an error of this package, InTransaction returns it. On
// a standalone server, which has no transactions, it returns a [Fault] with [CodeNoTransaction].
func InTransaction(ctx context.Context, client *mongo.Client, work func(ctx context.Context) error) error {
	session := mongo.SessionFromContext(ctx)
	if session != nil && session.TransactionRunning() {
		return work(ctx)
	}
	if session == nil {
		own, err := client.StartSession()
		if err != nil {
			return fmt.Errorf("outgraph: starting a session: %w", err)
		}
		defer own.EndSession(context.WithoutCancel(ctx))
		session = own
	}
	// A client may read from secondaries, or accept an acknowledgement of one member. A transaction with the
	// outbox must not.
	transaction := options.Transaction().
		SetReadConcern(readconcern.Snapshot()).
		SetWriteConcern(writeconcern.Majority()).
		SetReadPreference(readpref.Primary())
	var recorded []bson.ObjectID
	_, err := session.WithTransaction(ctx, func(ctx context.Context) (any, error) {
		var refused error
		recorded = nil
		ctx = withOnlyEventIDs(context.WithValue(ctx, refusedKey{}, &refused), &recorded)
		if err := work(ctx); err != nil {
			return nil, err
		}
		// An error that work ignored: the commit would fail and be retried.
		return nil, refused
	}, transaction)
	if err == nil {
		eventIDsOf(ctx).add(recorded)
	}
	return nameStandalone(err)
}

// nameStandalone replaces the server's "Transaction numbers are only allowed on a replica set member or mongos"
// (IllegalOperation, seen with MongoDB 6.0).
func nameStandalone(err error) error {
	var failure mongo.CommandError
	if !errors.As(err, &failure) || failure.Code != 20 || !strings.HasPrefix(failure.Message, "Transaction numbers") {
		return err
	}
	return faultf(CodeNoTransaction,
		"This MongoDB is a standalone server, which has no transactions. Convert it to a replica set, of at least one "+
			"member (https://www.mongodb.com/docs/manual/tutorial/convert-standalone-to-replica-set/).")
}

// requireTransaction refuses a context without a running transaction, and a transaction whose writes could be rolled
// back after its commit.
func requireTransaction(ctx context.Context) error {
	session := mongo.SessionFromContext(ctx)
	if session == nil || !session.TransactionRunning() {
		return faultf(CodeNoTransaction,
			"An event must be recorded in the transaction that writes its document: start one "+
				"(session.WithTransaction, or outgraph.InTransaction), and pass its context.")
	}
	if w := writeConcernOf(session); w != "" && w != writeconcern.WCMajority {
		return faultf(CodeWriteConcern,
			"The transaction's write concern is %s: use majority, because a write that could be rolled back must "+
				"not reach the graph.", w)
	}
	return nil
}

// writeConcernOf returns the w of the session's transaction. It is empty if the server decides: its default is a
// majority. The driver does not expose it, so this function, and no other, reads it by reflection. If a version of the
// driver moves it, the result is empty, and a test fails.
func writeConcernOf(session *mongo.Session) string {
	w := reflect.ValueOf(session)
	for _, field := range []string{"clientSession", "CurrentWc", "W"} {
		if w.Kind() != reflect.Pointer || w.IsNil() || w.Elem().Kind() != reflect.Struct {
			return ""
		}
		w = w.Elem().FieldByName(field)
	}
	if w.Kind() != reflect.Interface {
		return ""
	}
	switch w = w.Elem(); w.Kind() {
	case reflect.String:
		return w.String()
	case reflect.Int, reflect.Int32, reflect.Int64:
		return strconv.FormatInt(w.Int(), 10)
	default:
		return ""
	}
}

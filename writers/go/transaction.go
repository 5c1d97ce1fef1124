package outgraph

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readconcern"
	"go.mongodb.org/mongo-driver/v2/mongo/readpref"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"
)

// InTransaction runs work in the running transaction of the session in ctx, or, without one, in a new transaction that
// reads one snapshot and is committed by a majority. A new one is retried as a whole when it meets a conflict or a
// failover: work may run more than once. Use the context that work is given. A refusal of this package that work does
// not return is returned for it.
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
	// A client may read from secondaries, or be content with one member: a transaction of the outbox cannot.
	transaction := options.Transaction().
		SetReadConcern(readconcern.Snapshot()).
		SetWriteConcern(writeconcern.Majority()).
		SetReadPreference(readpref.Primary())
	_, err := session.WithTransaction(ctx, func(ctx context.Context) (any, error) {
		var refused error
		if err := work(context.WithValue(ctx, refusedKey{}, &refused)); err != nil {
			return nil, err
		}
		// What work has caught: to commit would fail, and be tried again.
		return nil, refused
	}, transaction)
	return nameStandalone(err)
}

// nameStandalone replaces the server's "Transaction numbers are only allowed on a replica set member or mongos"
// (IllegalOperation, seen of MongoDB 6.0).
func nameStandalone(err error) error {
	var failure mongo.CommandError
	if !errors.As(err, &failure) || failure.Code != 20 || !strings.HasPrefix(failure.Message, "Transaction numbers") {
		return err
	}
	return faultf(CodeNoTransaction,
		"This MongoDB is a standalone server, which has no transactions: make it a replica set, of one member at least (https://www.mongodb.com/docs/manual/tutorial/convert-standalone-to-replica-set/).")
}

// requireTransaction refuses a context without a running transaction whose writes stay once it has committed.
func requireTransaction(ctx context.Context) error {
	session := mongo.SessionFromContext(ctx)
	if session == nil || !session.TransactionRunning() {
		return faultf(CodeNoTransaction,
			"An event must be recorded in the transaction that writes its document: start one (session.WithTransaction, or outgraph.InTransaction), and pass its context.")
	}
	if w := writeConcernOf(session); w != "" && w != writeconcern.WCMajority {
		return faultf(CodeWriteConcern,
			"The transaction's write concern is %s: use majority, because what could be rolled back must not reach the graph.", w)
	}
	return nil
}

// writeConcernOf is the w of the session's transaction; empty where it is left to the server, whose default is a
// majority. The driver keeps it to itself, so it is read by reflection, and only here; should a version of the driver
// move it, it counts as left to the server, and a test fails.
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

package outgraph

import (
	"context"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
)

// How long an abort waits for the server. Without its answer, the transaction is aborted in the driver alone.
const abortTimeout = 10 * time.Second

// refusedKey leads to the error after which the transaction of [InTransaction] cannot be committed.
type refusedKey struct{}

// abortOn ends the caller's transaction after an error, so that it cannot be committed: documents may lack their
// events. It returns the error.
//
// It is aborted on the server only, and the session stays in it until the caller ends it: after an abort by the driver,
// the caller's next writes with the session would be outside of any transaction.
func abortOn(ctx context.Context, client *mongo.Client, err error) error {
	session := mongo.SessionFromContext(ctx)
	if err == nil || session == nil || !session.TransactionRunning() {
		return err
	}
	if refused, ok := ctx.Value(refusedKey{}).(*error); ok {
		*refused = err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), abortTimeout)
	defer cancel()
	aborted := client.Database("admin").RunCommand(ctx, bson.D{{Key: "abortTransaction", Value: 1}}).Err()
	// An error of the server says that there is no such transaction: it had been aborted before.
	if aborted != nil && (mongo.IsNetworkError(aborted) || mongo.IsTimeout(aborted)) {
		_ = session.AbortTransaction(ctx)
	}
	return err
}

package outgraph

import (
	"context"
	"maps"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"
)

// fieldOperators change exactly the fields that they name.
var fieldOperators = []string{
	"$set", "$unset", "$inc", "$mul", "$min", "$max", "$rename", "$setOnInsert", "$currentDate", "$push", "$addToSet",
	"$pop", "$pull", "$pullAll", "$bit",
}

// isUnread reports whether an update is certain to change no field that the projection, Check or ID reads. The graph
// cannot change then, so the documents need not be read before and after it. An ID function of the aggregate's own may
// read any field.
func (c *Collection) isUnread(ctx context.Context, update any, upsert *bool) bool {
	if len(c.aggregate.Fields) == 0 || c.aggregate.checkFields() != nil || c.aggregate.ID != nil {
		return false
	}
	if recordsUnchanged(ctx) || upsert != nil && *upsert {
		return false
	}
	operators, ok := fieldsOf(update)
	if !ok {
		return false
	}
	for _, operator := range operators {
		paths, ok := fieldsOf(operator.Value)
		if !ok || !slices.Contains(fieldOperators, operator.Key) {
			return false
		}
		for _, path := range paths {
			if c.reads(path.Key) {
				return false
			}
			if operator.Key != "$rename" {
				continue
			}
			if name, ok := path.Value.(string); !ok || c.reads(name) {
				return false
			}
		}
	}
	return true
}

// reads reports whether a path is in a field that the aggregate declares.
func (c *Collection) reads(path string) bool {
	field, _, _ := strings.Cut(path, ".")
	return field == "_id" || slices.Contains(c.aggregate.Fields, field)
}

// fieldsOf returns the fields of a document whose encoding does not depend on the client's registry.
func fieldsOf(document any) (bson.D, bool) {
	switch document := document.(type) {
	case bson.D:
		return document, true
	case bson.M:
		return fieldsOfMap(document), true
	case map[string]any:
		return fieldsOfMap(document), true
	case bson.Raw:
		var fields bson.D
		err := bson.Unmarshal(document, &fields)
		return fields, err == nil
	}
	return nil, false
}

func fieldsOfMap(document map[string]any) bson.D {
	fields := make(bson.D, 0, len(document))
	for _, key := range slices.Sorted(maps.Keys(document)) {
		fields = append(fields, bson.E{Key: key, Value: document[key]})
	}
	return fields
}

// trackUnread runs a write of one document that no event follows. The driver retries it, so it needs a transaction only
// if the caller has one.
func (c *Collection) trackUnread(
	ctx context.Context, write func(ctx context.Context, collection *mongo.Collection) error,
) error {
	if session := mongo.SessionFromContext(ctx); session != nil && session.TransactionRunning() {
		return c.track(ctx, func(ctx context.Context) error { return write(ctx, c.collection) })
	}
	majority := options.Collection().SetWriteConcern(writeconcern.Majority())
	return write(ctx, c.collection.Clone(majority))
}

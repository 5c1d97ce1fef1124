package outgraph

import (
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// OutboxCollection is the name of the collection of events, in the database of their documents:
//
//	pending, err := db.Collection(outgraph.OutboxCollection).CountDocuments(ctx, bson.M{"status": "pending"})
const OutboxCollection = "outbox"

// ContractVersion is the version of outgraph's contract that this library writes. "outgraph doctor" reports that of an
// outbox.
const ContractVersion = 1

const (
	aggregateIDMaxBytes        = 512
	aggregateTypeMaxCharacters = 64
)

var aggregateTypePattern = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)

// Operation is the kind of a [Change].
type Operation string

const (
	// OperationUpsert means that the aggregate was created or changed.
	OperationUpsert Operation = "upsert"
	// OperationDelete means that the aggregate was deleted.
	OperationDelete Operation = "delete"
)

// Change is a change of one aggregate. Create it with [Upsert] or [Delete], and record it with [RecordEvent].
type Change struct {
	Operation   Operation
	AggregateID string
	// Payload is the full state after the write, never a delta. It is nil for a deletion.
	Payload any
}

// Upsert returns the change of an aggregate that was created or changed to this state. A payload that is not a
// [bson.Raw] is marshalled with the driver's defaults: if your client has a registry or BSON options of its own, pass
// the stored bytes.
//
//	change := outgraph.Upsert("bob", bson.D{{Key: "_id", Value: "bob"}, {Key: "name", Value: "Bob"}})
//
// [RecordEvent] refuses a payload that is not a document with [CodeEventInvalid].
func Upsert(aggregateID string, payload any) Change {
	return Change{Operation: OperationUpsert, AggregateID: aggregateID, Payload: payload}
}

// Delete returns the change of an aggregate that was deleted.
//
//	err := outgraph.RecordEvent(ctx, db, person, outgraph.Delete("bob"))
//
// [RecordEvent] refuses an id that is not 1 to 512 bytes of UTF-8 with [CodeEventInvalid].
func Delete(aggregateID string) Change {
	return Change{Operation: OperationDelete, AggregateID: aggregateID}
}

// newEvent returns the outbox document of a change. Its error names everything that is wrong with the change at once.
func newEvent(id bson.ObjectID, aggregate Aggregate, change Change, traceparent string) (bson.D, error) {
	var problems []string
	refuse := func(problem string) { problems = append(problems, problem) }
	// $ matches only at the very end, not before a line break.
	if !aggregateTypePattern.MatchString(aggregate.Type) || len(aggregate.Type) > aggregateTypeMaxCharacters {
		refuse("aggregateType must be lower-case words joined by hyphens, at most 64 characters")
	}
	if id := change.AggregateID; id == "" || len(id) > aggregateIDMaxBytes || !utf8.ValidString(id) {
		refuse("aggregateId must be 1 to 512 bytes of UTF-8")
	}
	var payload bson.Raw
	switch change.Operation {
	case OperationUpsert:
		var err error
		if payload, err = marshalPayload(change.Payload); err != nil {
			refuse("payload must be a BSON object")
		} else if place := invalidText(payload, "payload"); place != "" {
			refuse(place + " must be UTF-8")
		}
	case OperationDelete:
		if change.Payload != nil {
			refuse("payload must be absent with operation delete")
		}
	default:
		refuse("operation must be upsert or delete")
	}
	if len(problems) > 0 {
		return nil, faultf(CodeEventInvalid,
			"The event of a %q cannot be recorded: %s.", aggregate.Type, strings.Join(problems, "; "))
	}

	event := bson.D{
		{Key: "_id", Value: id},
		{Key: "aggregateType", Value: aggregate.Type},
		{Key: "aggregateId", Value: change.AggregateID},
		{Key: "operation", Value: string(change.Operation)},
	}
	if payload != nil {
		if err := aggregate.check(payload); err != nil {
			return nil, err
		}
		event = append(event, bson.E{Key: "payload", Value: payload})
	}
	event = append(event,
		// Empty: the server fills in its own time, also in a transaction.
		bson.E{Key: "position", Value: bson.Timestamp{}},
		bson.E{Key: "createdAt", Value: bson.NewDateTimeFromTime(time.Now())},
	)
	if traceparent != "" {
		event = append(event, bson.E{Key: "traceparent", Value: traceparent})
	}
	return append(event, bson.E{Key: "status", Value: "pending"}, bson.E{Key: "attempts", Value: int32(0)}), nil
}

func marshalPayload(payload any) (bson.Raw, error) {
	raw, ok := payload.(bson.Raw)
	if !ok {
		// A nil, a list or a scalar is not a document: marshalling it fails.
		marshalled, err := bson.Marshal(payload)
		if err != nil {
			return nil, err
		}
		raw = marshalled
	}
	return raw, raw.Validate()
}

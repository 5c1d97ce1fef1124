package outgraph

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// Aggregate ties a collection to an aggregate type of outgraph: each of its documents is one unit of change. The
// consumer must know a projection for the type; [Graph] is built in.
type Aggregate struct {
	// Type is the event's aggregateType: lower-case words joined by hyphens, at most 64 characters.
	Type string
	// Collection is the name of the collection whose documents are these aggregates.
	Collection string
	// ID is the aggregateId of a document: text that no other document of the collection has, that never changes while the
	// document exists, and is not used again after it. Nil means [DocumentID].
	ID func(document bson.Raw) (string, error)
	// Check says what is wrong with a payload before it is recorded; nil checks nothing, and the consumer's projection
	// decides. An error that is no [Fault] becomes one of [CodePayloadInvalid].
	Check func(payload bson.Raw) error
	// Traceparent takes the W3C trace context of the events from the context of the call, where [WithTraceparent] gave
	// none: see the package oteltrace.
	Traceparent func(ctx context.Context) string
}

func (a Aggregate) documentID(document bson.Raw) (string, error) {
	if a.ID == nil {
		return DocumentID(document)
	}
	id, err := a.ID(document)
	if err != nil {
		return "", fmt.Errorf("outgraph: the id of a %q: %w", a.Type, err)
	}
	return id, nil
}

func (a Aggregate) check(payload bson.Raw) error {
	if a.Check == nil {
		return nil
	}
	err := a.Check(payload)
	if fault := (*Fault)(nil); err == nil || errors.As(err, &fault) {
		return err
	}
	fault := faultf(CodePayloadInvalid, "The payload is not a %q: %v.", a.Type, err)
	fault.Err = err
	return fault
}

// DocumentID is the text of a document's _id: an ObjectID's hexadecimal digits, a UUID's text, a string as it is, a
// number's digits, as writers in other languages have it. An id of any other type has no such text: give the aggregate
// an ID function of its own. Use one type of _id in a collection: 7 and "7", or an ObjectID and its digits as a string,
// have the same text, and so are one aggregate.
func DocumentID(document bson.Raw) (string, error) {
	id := document.Lookup("_id")
	switch id.Type {
	case bson.TypeString:
		return id.StringValue(), nil
	case bson.TypeObjectID:
		return id.ObjectID().Hex(), nil
	case bson.TypeInt32:
		return strconv.FormatInt(int64(id.Int32()), 10), nil
	case bson.TypeInt64:
		return strconv.FormatInt(id.Int64(), 10), nil
	case bson.TypeDouble:
		// Beyond these, languages write doubles in different ways.
		if number := id.Double(); number == math.Trunc(number) && math.Abs(number) < 1<<53 {
			return strconv.FormatInt(int64(number), 10), nil
		}
	case bson.TypeBinary:
		if text, ok := uuidText(id); ok {
			return text, nil
		}
	}
	return "", faultf(CodeEventInvalid, "aggregateId: an _id of type %s has no text; declare the aggregate with an ID function.", id.Type)
}

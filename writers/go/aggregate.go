package outgraph

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// Aggregate maps a collection to an aggregate type of outgraph: each of its documents is one unit of change. The
// consumer must know a projection for the type; [Graph] is built in.
//
//	var person = outgraph.Aggregate{Type: "person", Collection: "people"}
//
// A Type that is not allowed is refused with [CodeEventInvalid] when an event is recorded.
type Aggregate struct {
	// Type is the event's aggregateType: lower-case words joined by hyphens, at most 64 characters.
	Type string
	// Collection is the name of the collection whose documents are these aggregates.
	Collection string
	// ID returns the aggregateId of a document. It must be text that no other document of the collection has, never
	// change while the document exists, and not be reused after it. Nil means [DocumentID].
	ID func(document bson.Raw) (string, error)
	// Check returns an error for an invalid payload before it is recorded. With nil, nothing is checked and the
	// consumer's projection decides. An error that is not a [Fault] is wrapped in one with [CodePayloadInvalid].
	Check func(payload bson.Raw) error
	// Fields are the names of the top-level fields that the projection and Check read. An update that changes only
	// others records no event, unless [WithUnchanged] asks for it. Nil means every field.
	Fields []string
	// Traceparent returns the W3C trace context of the events from the context of the call. It is used if
	// [WithTraceparent] gave none: see the package oteltrace.
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

// checkFields refuses a path: it would match no field, so that its changes were never recorded.
func (a Aggregate) checkFields() error {
	for _, field := range a.Fields {
		if strings.Contains(field, ".") {
			return faultf(CodeEventInvalid,
				"Fields: %q of a %q is a path; name the top-level field that contains it.", field, a.Type)
		}
	}
	return nil
}

// readsSame reports whether no declared field differs in its stored bytes.
func (a Aggregate) readsSame(before, after bson.Raw) bool {
	return len(a.Fields) > 0 && bytes.Equal(fieldBytes(before, a.Fields), fieldBytes(after, a.Fields))
}

// fieldBytes returns the stored bytes of the top-level fields with these names, in their order.
func fieldBytes(document bson.Raw, names []string) []byte {
	elements, err := document.Elements()
	if err != nil {
		return document
	}
	var fields []byte
	for _, element := range elements {
		if slices.Contains(names, element.Key()) {
			fields = append(fields, element...)
		}
	}
	return fields
}

// DocumentID returns the text of a document's _id: the hexadecimal digits of an ObjectID, the text of a UUID, a string
// unchanged, or the digits of a number. Writers in other languages return the same text.
//
// Use one type of _id in a collection. 7 and "7", or an ObjectID and its digits as a string, have the same text and
// become the same aggregate.
//
// It returns a [Fault] with [CodeEventInvalid] for an _id of any other type, which has no such text. Give the aggregate
// an ID function of its own:
//
//	seat := outgraph.Aggregate{Type: "seat", Collection: "seats", ID: func(document bson.Raw) (string, error) {
//		return document.Lookup("number").StringValue(), nil
//	}}
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
		// Languages format other doubles in different ways.
		if number := id.Double(); number == math.Trunc(number) && math.Abs(number) < 1<<53 {
			return strconv.FormatInt(int64(number), 10), nil
		}
	case bson.TypeBinary:
		if text, ok := uuidText(id); ok {
			return text, nil
		}
	}
	return "", faultf(CodeEventInvalid,
		"aggregateId: an _id of type %s has no text of its own; declare the aggregate with an ID function.", id.Type)
}

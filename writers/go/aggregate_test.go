package outgraph_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	outgraph "outgraph.example/writers/go"
	"outgraph.example/writers/go/internal/testdb"
	"outgraph.example/writers/go/oteltrace"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.opentelemetry.io/otel/trace"
)

func TestTheIDOfADocumentIsTheTextThatOtherLanguagesGiveIt(t *testing.T) {
	t.Parallel()
	decimal, err := bson.ParseDecimal128("1.50")
	if err != nil {
		t.Fatal(err)
	}
	for _, given := range []struct {
		id   any
		text string
	}{
		{"a b", "a b"},
		{int32(-7), "-7"},
		{int64(1) << 60, "1152921504606846976"},
		{5e10, "50000000000"},
		{math.Copysign(0, -1), "0"},
		{bson.Binary{Subtype: 4, Data: []byte("0123456789abcdef")}, "30313233-3435-3637-3839-616263646566"},
	} {
		document, err := bson.Marshal(bson.D{{Key: "_id", Value: given.id}})
		if err != nil {
			t.Fatal(err)
		}
		if text, err := outgraph.DocumentID(document); err != nil || text != given.text {
			t.Errorf("%v: %q, not %q: %v", given.id, text, given.text, err)
		}
	}
	binary := bson.Binary{Data: []byte("0123456789abcdef")}
	for _, id := range []any{1.5, 1e300, true, decimal, nil, bson.D{}, binary, bson.Timestamp{T: 1}} {
		document, err := bson.Marshal(bson.D{{Key: "_id", Value: id}})
		if err != nil {
			t.Fatal(err)
		}
		text, err := outgraph.DocumentID(document)
		if !errors.Is(err, &outgraph.Fault{Code: outgraph.CodeEventInvalid}) {
			t.Errorf("%v: %q, %v", id, text, err)
		}
	}
}

func TestACheckRefusesAPayloadInTheWritersTransaction(t *testing.T) {
	t.Parallel()
	db := testdb.New(t)
	tooShort := errors.New("payload.text: must have three characters\x1b[2J")
	checked := outgraph.Aggregate{Type: "note", Collection: "notes", Check: func(payload bson.Raw) error {
		if text, _ := payload.Lookup("text").StringValueOK(); len(text) < 3 {
			return tooShort
		}
		return nil
	}}
	notes := outgraph.Track(db, checked)
	note := bson.D{{Key: "_id", Value: "a"}, {Key: "text", Value: "long"}}
	if _, err := notes.InsertOne(t.Context(), note); err != nil {
		t.Fatal(err)
	}
	_, err := notes.UpdateOne(t.Context(), byID("a"), set("text", "no"))
	var fault *outgraph.Fault
	if !errors.As(err, &fault) || fault.Code != outgraph.CodePayloadInvalid || !errors.Is(err, tooShort) {
		t.Fatalf("%v", err)
	}
	if strings.Contains(fault.Message, "\x1b") || !strings.Contains(fault.Message, `\u001b`) {
		t.Errorf("the message is not one harmless line: %q", fault.Message)
	}
	if text := testdb.All(t, db, "notes", "_id")[0].Lookup("text").StringValue(); text != "long" {
		t.Errorf("the document was changed to %s", text)
	}
	expectEvents(t, db, "upsert a")
}

func TestAnEventCarriesTheTraceContextThatWasGivenElseThatOfTheActiveSpan(t *testing.T) {
	t.Parallel()
	db := testdb.New(t)
	traced := note
	traced.Traceparent = oteltrace.Traceparent
	notes := outgraph.Track(db, traced)
	span := trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: trace.FlagsSampled,
	})
	active := trace.ContextWithSpanContext(t.Context(), span)
	const ofSpan = "00-01000000000000000000000000000000-0200000000000000-01"
	const given = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"
	wanted := map[string]string{}
	for id, ctx := range map[string]context.Context{
		"none":      t.Context(),
		ofSpan:      active,
		given:       outgraph.WithTraceparent(active, given),
		"malformed": outgraph.WithTraceparent(active, "hello"),
	} {
		if _, err := notes.InsertOne(ctx, byID(id)); err != nil {
			t.Fatal(err)
		}
		wanted[id] = id
	}
	wanted["none"], wanted["malformed"] = "", ofSpan
	for _, event := range testdb.All(t, db, outgraph.OutboxCollection, "position") {
		id := event.Lookup("aggregateId").StringValue()
		if got, _ := event.Lookup("traceparent").StringValueOK(); got != wanted[id] {
			t.Errorf("%s: %q, not %q", id, got, wanted[id])
		}
	}
}

package conformance

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	outgraph "outgraph.example/writers/go"
	"outgraph.example/writers/go/internal/testdb"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

type verbCase struct {
	Name        string     `bson:"name"`
	AggregateID string     `bson:"aggregateId"`
	Reads       []string   `bson:"reads"`
	Index       *index     `bson:"index"`
	Before      []bson.Raw `bson:"before"`
	Calls       []call     `bson:"calls"`
	Together    bool       `bson:"together"`
	Abort       bool       `bson:"abort"`
	Caught      bool       `bson:"caught"`
	After       []bson.Raw `bson:"after"`
	Events      []bson.Raw `bson:"events"`
	Refused     string     `bson:"refused"`
}

type call struct {
	Verb           string         `bson:"verb"`
	Document       bson.Raw       `bson:"document"`
	Documents      []bson.Raw     `bson:"documents"`
	Filter         bson.Raw       `bson:"filter"`
	Update         bson.RawValue  `bson:"update"`
	Replacement    bson.Raw       `bson:"replacement"`
	Pipeline       bson.A         `bson:"pipeline"`
	Upsert         bool           `bson:"upsert"`
	Collation      *collation     `bson:"collation"`
	Hint           string         `bson:"hint"`
	Let            bson.Raw       `bson:"let"`
	Unchanged      bool           `bson:"recordUnchanged"`
	ReturnDocument string         `bson:"returnDocument"`
	Returns        *bson.RawValue `bson:"returns"`
	Projection     bson.Raw       `bson:"projection"`
	Sort           bson.Raw       `bson:"sort"`
	ChunkSize      int            `bson:"chunkSize"`
	Operations     []bson.D       `bson:"operations"`
	Ordered        *bool          `bson:"ordered"`
	Result         bson.M         `bson:"result"`
}

type index struct {
	Key    bson.D `bson:"key"`
	Name   string `bson:"name"`
	Sparse bool   `bson:"sparse"`
}

type collation struct {
	Locale   string `bson:"locale"`
	Strength int    `bson:"strength"`
}

// collationOf returns nil if the call has no collation.
func collationOf(given *collation) *options.Collation {
	if given == nil {
		return nil
	}
	return &options.Collation{Locale: given.Locale, Strength: given.Strength}
}

func TestVerbs(t *testing.T) {
	t.Parallel()
	db := testdb.New(t)
	for _, given := range readCases[verbCase](t, "verbs") {
		t.Run(given.Name, func(t *testing.T) {
			defer empty(t, db, "notes", outgraph.OutboxCollection)
			id := idIn(given.AggregateID)
			note := outgraph.Aggregate{Type: "note", Collection: "notes", ID: id, Fields: given.Reads}
			notes := outgraph.Track(db, note)
			if given.Index != nil {
				indexes := db.Collection("notes").Indexes()
				named := options.Index().SetName(given.Index.Name).SetSparse(given.Index.Sparse)
				model := mongo.IndexModel{Keys: given.Index.Key, Options: named}
				if _, err := indexes.CreateOne(t.Context(), model); err != nil {
					t.Fatal(err)
				}
				defer indexes.DropOne(t.Context(), given.Index.Name)
			}
			if len(given.Before) > 0 {
				if _, err := db.Collection("notes").InsertMany(t.Context(), given.Before); err != nil {
					t.Fatal(err)
				}
			}
			expectOutcome(t, attempt(t, db, notes, given), given.Refused, "")
			after := testdb.All(t, db, "notes", "_id")
			for _, documents := range [][]bson.Raw{after, given.After} {
				slices.SortFunc(documents, func(left, right bson.Raw) int {
					return strings.Compare(testdb.Text(t, left.Lookup("_id")), testdb.Text(t, right.Lookup("_id")))
				})
			}
			if got, want := testdb.Text(t, after), testdb.Text(t, given.After); got != want {
				t.Errorf("notes contains %s, not %s", got, want)
			}
			events := testdb.All(t, db, outgraph.OutboxCollection, "position")
			if got, want := byAggregate(t, events), byAggregate(t, given.Events); got != want {
				t.Errorf("the outbox contains\n%s\nnot\n%s", got, want)
			}
		})
	}
}

var errAbort = errors.New("abort")

func attempt(t *testing.T, db *mongo.Database, notes *outgraph.Collection, given verbCase) error {
	t.Helper()
	run := func(ctx context.Context) error {
		for _, call := range given.Calls {
			if err := makeCall(ctx, t, notes, call); err != nil {
				return err
			}
		}
		if given.Abort {
			return errAbort
		}
		return nil
	}
	switch {
	case given.Caught:
		expectNoCommit(t, db.Client(), run)
		return nil
	case !given.Together:
		return run(t.Context())
	}
	err := inTransaction(t.Context(), db.Client(), run)
	if given.Abort && errors.Is(err, errAbort) {
		return nil
	}
	return err
}

// idIn returns the ID function of an aggregate whose id is a field, or nil.
func idIn(field string) func(document bson.Raw) (string, error) {
	if field == "" {
		return nil
	}
	return func(document bson.Raw) (string, error) { return document.Lookup(field).StringValue(), nil }
}

// hintAndLet returns nil for each that the call does not have.
func (c call) hintAndLet() (hint, let any) {
	if c.Hint != "" {
		hint = c.Hint
	}
	if c.Let != nil {
		let = c.Let
	}
	return hint, let
}

func makeCall(ctx context.Context, t *testing.T, notes *outgraph.Collection, call call) error {
	t.Helper()
	var err error
	update := updateOf(call.Update)
	collation := collationOf(call.Collation)
	hint, let := call.hintAndLet()
	if call.Unchanged {
		ctx = outgraph.WithUnchanged(ctx)
	}
	switch call.Verb {
	case "insertOne":
		_, err = notes.InsertOne(ctx, call.Document)
	case "insertMany":
		_, err = notes.InsertMany(ctx, call.Documents)
	case "updateOne":
		opts := options.UpdateOne().SetUpsert(call.Upsert).SetCollation(collation).SetHint(hint).SetLet(let)
		_, err = notes.UpdateOne(ctx, call.Filter, update, opts)
	case "updateMany":
		opts := options.UpdateMany().SetUpsert(call.Upsert).SetCollation(collation).SetHint(hint).SetLet(let)
		if call.ChunkSize != 0 {
			var committed outgraph.Committed
			committed, err = notes.UpdateManyInChunks(ctx, call.ChunkSize, call.Filter, update, opts)
			call.expectResult(t, committed, err)
			break
		}
		var updated *mongo.UpdateResult
		updated, err = notes.UpdateMany(ctx, call.Filter, update, opts)
		call.expectResult(t, updated, err)
	case "replaceOne":
		opts := options.Replace().SetUpsert(call.Upsert).SetCollation(collation).SetHint(hint).SetLet(let)
		_, err = notes.ReplaceOne(ctx, call.Filter, call.Replacement, opts)
	case "findOneAndUpdate":
		opts := options.FindOneAndUpdate().SetUpsert(call.Upsert).SetCollation(collation).SetHint(hint).SetLet(let)
		if call.ReturnDocument == "after" {
			opts.SetReturnDocument(options.After)
		}
		setNonNil(opts.SetProjection, call.Projection)
		setNonNil(opts.SetSort, call.Sort)
		err = call.expectFound(t, notes.FindOneAndUpdate(ctx, call.Filter, update, opts))
	case "findOneAndReplace":
		opts := options.FindOneAndReplace().SetUpsert(call.Upsert).SetCollation(collation).SetHint(hint).SetLet(let)
		if call.ReturnDocument == "after" {
			opts.SetReturnDocument(options.After)
		}
		setNonNil(opts.SetProjection, call.Projection)
		setNonNil(opts.SetSort, call.Sort)
		err = call.expectFound(t, notes.FindOneAndReplace(ctx, call.Filter, call.Replacement, opts))
	case "findOneAndDelete":
		opts := options.FindOneAndDelete().SetCollation(collation).SetHint(hint).SetLet(let)
		setNonNil(opts.SetProjection, call.Projection)
		setNonNil(opts.SetSort, call.Sort)
		err = call.expectFound(t, notes.FindOneAndDelete(ctx, call.Filter, opts))
	case "deleteOne":
		_, err = notes.DeleteOne(ctx, call.Filter,
			options.DeleteOne().SetCollation(collation).SetHint(hint).SetLet(let))
	case "deleteMany":
		opts := options.DeleteMany().SetCollation(collation).SetHint(hint).SetLet(let)
		if call.ChunkSize != 0 {
			var committed outgraph.Committed
			committed, err = notes.DeleteManyInChunks(ctx, call.ChunkSize, call.Filter, opts)
			call.expectResult(t, committed, err)
			break
		}
		var deleted *mongo.DeleteResult
		deleted, err = notes.DeleteMany(ctx, call.Filter, opts)
		call.expectResult(t, deleted, err)
	case "bulkWrite":
		opts := options.BulkWrite()
		if let != nil {
			opts.SetLet(let)
		}
		if call.Ordered != nil {
			opts.SetOrdered(*call.Ordered)
		}
		var written *mongo.BulkWriteResult
		written, err = notes.BulkWrite(ctx, call.models(t), opts)
		call.expectResult(t, written, err)
	case "aggregate":
		_, err = notes.Aggregate(ctx, call.Pipeline)
	case "drop", "rename":
		return errNotOffered
	default:
		t.Fatalf("there is no verb %s", call.Verb)
	}
	return err
}

func setNonNil[Builder any](set func(value any) Builder, value bson.Raw) {
	if value != nil {
		set(value)
	}
}

// expectFound compares the document of a result with the expected one. It returns the error, unless it is that nothing
// was found as expected.
func (c call) expectFound(t *testing.T, result *mongo.SingleResult) error {
	t.Helper()
	found, err := result.Raw()
	wanted := c.Returns != nil && c.Returns.Type == bson.TypeEmbeddedDocument
	switch {
	case errors.Is(err, mongo.ErrNoDocuments) && !wanted:
		return nil
	case err == nil && (!wanted || testdb.Text(t, found) != testdb.Text(t, *c.Returns)):
		t.Errorf("it returns %s, not %s", found, c.Returns)
	}
	return err
}

// expectResult compares the counts of a result that the case names.
func (c call) expectResult(t *testing.T, result any, err error) {
	t.Helper()
	if err != nil {
		return
	}
	fields := reflect.Indirect(reflect.ValueOf(result))
	for name, count := range c.Result {
		field := fields.FieldByName(strings.ToUpper(name[:1]) + name[1:])
		if got := field.Int(); got != int64(count.(int32)) {
			t.Errorf("%s is %d, not %d", name, got, count)
		}
	}
}

// models returns the driver's models of a bulk write.
func (c call) models(t *testing.T) []mongo.WriteModel {
	t.Helper()
	var models []mongo.WriteModel
	for _, operation := range c.Operations {
		encoded, err := bson.Marshal(operation[0].Value)
		if err != nil {
			t.Fatal(err)
		}
		var given call
		if err := bson.Unmarshal(encoded, &given); err != nil {
			t.Fatal(err)
		}
		models = append(models, given.model(t, operation[0].Key))
	}
	return models
}

func (c call) model(t *testing.T, kind string) mongo.WriteModel {
	t.Helper()
	hint, _ := c.hintAndLet()
	collation := collationOf(c.Collation)
	switch kind {
	case "insertOne":
		return &mongo.InsertOneModel{Document: c.Document}
	case "updateOne":
		return &mongo.UpdateOneModel{
			Filter: c.Filter, Update: updateOf(c.Update), Upsert: &c.Upsert, Hint: hint, Collation: collation,
		}
	case "updateMany":
		return &mongo.UpdateManyModel{
			Filter: c.Filter, Update: updateOf(c.Update), Upsert: &c.Upsert, Hint: hint, Collation: collation,
		}
	case "replaceOne":
		return &mongo.ReplaceOneModel{
			Filter: c.Filter, Replacement: c.Replacement, Upsert: &c.Upsert, Hint: hint, Collation: collation,
		}
	case "deleteOne":
		return &mongo.DeleteOneModel{Filter: c.Filter, Hint: hint, Collation: collation}
	case "deleteMany":
		return &mongo.DeleteManyModel{Filter: c.Filter, Hint: hint, Collation: collation}
	}
	t.Fatalf("there is no operation %s", kind)
	return nil
}

// updateOf returns an update or a pipeline for the driver.
func updateOf(update bson.RawValue) any {
	if array, ok := update.ArrayOK(); ok {
		values, err := array.Values()
		if err != nil {
			panic(err)
		}
		pipeline := bson.A{}
		for _, value := range values {
			pipeline = append(pipeline, value.Document())
		}
		return pipeline
	}
	return bson.Raw(update.Value)
}

// byAggregate lists events by aggregate, and those of each aggregate in their order.
func byAggregate(t *testing.T, events []bson.Raw) string {
	t.Helper()
	sorted := slices.Clone(events)
	slices.SortStableFunc(sorted, func(left, right bson.Raw) int {
		return strings.Compare(left.Lookup("aggregateId").StringValue(), right.Lookup("aggregateId").StringValue())
	})
	var lines []string
	for _, event := range sorted {
		line := event.Lookup("aggregateId").StringValue() + " " + event.Lookup("operation").StringValue()
		if payload, err := event.LookupErr("payload"); err == nil {
			line += " " + testdb.Text(t, payload)
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

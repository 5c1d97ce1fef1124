package outgraph

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// BulkWrite runs the driver's models in their order, in one transaction. Each document that they change together has
// one event: its last state.
//
//	result, err := people.BulkWrite(ctx, []mongo.WriteModel{
//		mongo.NewInsertOneModel().SetDocument(bson.M{"_id": "ada", "name": "Ada"}),
//		mongo.NewDeleteManyModel().SetFilter(bson.M{"name": "Eve"}),
//	})
//
// Models that name their document by _id are sent together. Any other is resolved to the documents that it matches at
// its turn, after those before it. It refuses an unordered bulk write and a collation with [CodeUntracked], and models
// that the driver does not know with [ErrInvalidCall].
func (c *Collection) BulkWrite(
	ctx context.Context, models []mongo.WriteModel, opts ...options.Lister[options.BulkWriteOptions],
) (*mongo.BulkWriteResult, error) {
	given, err := resolve(opts)
	if err != nil {
		return nil, err
	}
	if given.Ordered != nil && !*given.Ordered {
		return nil, faultf(CodeUntracked,
			"An unordered bulk write is not possible on a tracked collection: its operations and their events are one "+
				"transaction, which the first error aborts, so none can go on after an error. Leave ordered out, or "+
				"write what may fail on its own with calls of its own.")
	}
	operations, err := readOperations(models)
	if err != nil {
		return nil, err
	}
	var result *mongo.BulkWriteResult
	err = c.track(ctx, func(ctx context.Context) (err error) {
		bulk := &bulkWrite{
			c: c, given: given, opts: opts, before: make(map[string]bson.Raw), known: make(map[string]bool),
			result: &mongo.BulkWriteResult{Acknowledged: true, UpsertedIDs: make(map[int64]any)},
		}
		result, err = bulk.run(ctx, operations)
		return err
	})
	if err != nil {
		return nil, err
	}
	return result, nil
}

// operation is a model with what the library needs of it.
type operation struct {
	model        mongo.WriteModel
	inserts      bool
	filter       any
	hint, sort   any
	many         bool
	upsert       *bool
	update       any
	on           func(target any, inserts bool) mongo.WriteModel
	withoutOrder mongo.WriteModel
}

func readOperations(models []mongo.WriteModel) ([]operation, error) {
	if len(models) == 0 {
		return nil, fmt.Errorf("%w: a bulk write needs at least one model", ErrInvalidCall)
	}
	operations := make([]operation, 0, len(models))
	for index, model := range models {
		read, collation := readOperation(model)
		if err := refuseCollation(collation); err != nil {
			return nil, err
		}
		if read.model == nil {
			return nil, fmt.Errorf("%w: the model %d of a bulk write is %T, which the driver does not know or which "+
				"is nil", ErrInvalidCall, index, model)
		}
		if !read.inserts && read.filter == nil {
			return nil, fmt.Errorf("%w: the model %d of a bulk write, %T, needs a filter", ErrInvalidCall, index, model)
		}
		operations = append(operations, read)
	}
	return operations, nil
}

// readOperation returns no model if the driver would not accept it.
func readOperation(model mongo.WriteModel) (operation, *options.Collation) {
	switch model := model.(type) {
	case *mongo.InsertOneModel:
		if model != nil && model.Document != nil {
			return operation{model: model, inserts: true}, nil
		}
	case *mongo.UpdateOneModel:
		if model != nil {
			named, on := *model, *model
			named.Sort, on.Sort = nil, nil
			return operation{
				model: model, filter: model.Filter, hint: model.Hint, sort: model.Sort, upsert: model.Upsert,
				update: model.Update, withoutOrder: &named,
				on: func(target any, inserts bool) mongo.WriteModel {
					if on.Filter = target; !inserts {
						on.Hint, on.Upsert = nil, nil
					}
					return &on
				},
			}, model.Collation
		}
	case *mongo.UpdateManyModel:
		if model != nil {
			on := *model
			return operation{
				model: model, filter: model.Filter, hint: model.Hint, many: true, upsert: model.Upsert,
				update: model.Update, withoutOrder: model,
				on: func(target any, inserts bool) mongo.WriteModel {
					if on.Filter = target; !inserts {
						on.Hint, on.Upsert = nil, nil
					}
					return &on
				},
			}, model.Collation
		}
	case *mongo.ReplaceOneModel:
		if model != nil {
			named, on := *model, *model
			named.Sort, on.Sort = nil, nil
			return operation{
				model: model, filter: model.Filter, hint: model.Hint, sort: model.Sort, upsert: model.Upsert,
				withoutOrder: &named,
				on: func(target any, inserts bool) mongo.WriteModel {
					if on.Filter = target; !inserts {
						on.Hint, on.Upsert = nil, nil
					}
					return &on
				},
			}, model.Collation
		}
	case *mongo.DeleteOneModel:
		if model != nil {
			return operation{
				model: model, filter: model.Filter, hint: model.Hint, withoutOrder: model,
				on: func(target any, _ bool) mongo.WriteModel { return mongo.NewDeleteOneModel().SetFilter(target) },
			}, model.Collation
		}
	case *mongo.DeleteManyModel:
		if model != nil {
			return operation{
				model: model, filter: model.Filter, hint: model.Hint, many: true, withoutOrder: model,
				on: func(target any, _ bool) mongo.WriteModel { return mongo.NewDeleteManyModel().SetFilter(target) },
			}, model.Collation
		}
	}
	return operation{}, nil
}

// bulkWrite is one bulk write in its transaction.
type bulkWrite struct {
	c     *Collection
	given options.BulkWriteOptions
	opts  []options.Lister[options.BulkWriteOptions]
	// before holds the documents as they were before the bulk write changed them.
	before map[string]bson.Raw
	// ids are those of every document that may have changed, and known has their keys.
	ids     []any
	known   map[string]bool
	pending []mongo.WriteModel
	sent    int64
	result  *mongo.BulkWriteResult
}

func (b *bulkWrite) run(ctx context.Context, operations []operation) (*mongo.BulkWriteResult, error) {
	// Read the documents that operations name by _id, before anything is written.
	for _, operation := range operations {
		if id, named := namedID(operation.filter); named && !b.isUnread(ctx, operation) {
			if err := b.add(id); err != nil {
				return nil, err
			}
		}
	}
	found, err := b.readIDs(ctx)
	if err != nil {
		return nil, err
	}
	for _, document := range found {
		b.before[equalIDKey(document.Lookup("_id"))] = document
	}
	for _, operation := range operations {
		if err := b.write(ctx, operation); err != nil {
			return nil, err
		}
	}
	if err := b.send(ctx); err != nil {
		return nil, err
	}
	return b.result, b.record(ctx)
}

func (b *bulkWrite) write(ctx context.Context, operation operation) error {
	_, named := namedID(operation.filter)
	switch {
	case operation.inserts || b.isUnread(ctx, operation):
		b.pending = append(b.pending, operation.model)
	case named:
		// A server before 8.0 refuses an order, and one document needs none.
		b.pending = append(b.pending, operation.withoutOrder)
	default:
		if err := b.send(ctx); err != nil {
			return err
		}
		found, err := b.resolve(ctx, operation)
		if err != nil {
			return err
		}
		b.pending = append(b.pending, operation.on(aim(found, operation.filter, operation.upsert)))
	}
	if len(b.ids) > maxDocuments {
		return b.c.tooMany("a bulk write changes more than %d documents", maxDocuments)
	}
	return nil
}

// isUnread reports whether the operation changes only fields that the aggregate does not declare.
func (b *bulkWrite) isUnread(ctx context.Context, operation operation) bool {
	return operation.sort == nil && operation.update != nil &&
		b.c.isUnread(ctx, operation.update, operation.upsert)
}

// resolve reads what an operation matches now, and keeps each document that is not written yet.
func (b *bulkWrite) resolve(ctx context.Context, operation operation) ([]bson.Raw, error) {
	read := one(operation.hint, b.given.Let, operation.sort)
	if operation.many {
		read.SetLimit(maxDocuments + 1)
	}
	found, err := b.c.read(ctx, operation.filter, read)
	if err != nil {
		return nil, err
	}
	for _, document := range found {
		id := document.Lookup("_id")
		key := equalIDKey(id)
		if b.known[key] {
			continue
		}
		b.known[key] = true
		b.ids = append(b.ids, id)
		b.before[key] = document
	}
	return found, nil
}

// add notes the id of a document that may change.
func (b *bulkWrite) add(id any) error {
	encoded, err := bson.Marshal(bson.D{{Key: "_id", Value: id}})
	if err != nil {
		return b.c.failed("reading", err)
	}
	if key := equalIDKey(bson.Raw(encoded).Lookup("_id")); !b.known[key] {
		b.known[key] = true
		b.ids = append(b.ids, id)
	}
	return nil
}

// send runs the pending operations. It inserts with InsertMany, whose result contains the ids; the driver too sends a
// command for each run of inserts.
func (b *bulkWrite) send(ctx context.Context) error {
	pending := b.pending
	b.pending = nil
	for len(pending) > 0 {
		isInsert := func(model mongo.WriteModel) bool { _, ok := model.(*mongo.InsertOneModel); return ok }
		first := isInsert(pending[0])
		count := slices.IndexFunc(pending, func(model mongo.WriteModel) bool { return isInsert(model) != first })
		if count < 0 {
			count = len(pending)
		}
		run := b.update
		if first {
			run = b.insert
		}
		if err := run(ctx, pending[:count]); err != nil {
			return b.c.failed("writing", withIndexesFrom(int(b.sent), err))
		}
		b.sent += int64(count)
		pending = pending[count:]
	}
	return nil
}

func (b *bulkWrite) insert(ctx context.Context, models []mongo.WriteModel) error {
	documents := make([]any, 0, len(models))
	for _, model := range models {
		documents = append(documents, model.(*mongo.InsertOneModel).Document)
	}
	insert := options.InsertMany()
	insert.Opts = append(insert.Opts, func(o *options.InsertManyOptions) error {
		o.BypassDocumentValidation, o.Comment = b.given.BypassDocumentValidation, b.given.Comment
		return nil
	})
	result, err := b.c.inserting.InsertMany(ctx, documents, insert)
	if err != nil {
		return err
	}
	for _, id := range result.InsertedIDs {
		if err := b.add(id); err != nil {
			return err
		}
	}
	b.result.InsertedCount += int64(len(result.InsertedIDs))
	return nil
}

func (b *bulkWrite) update(ctx context.Context, models []mongo.WriteModel) error {
	result, err := b.c.collection.BulkWrite(ctx, models, b.opts...)
	if err != nil {
		return err
	}
	for index, id := range result.UpsertedIDs {
		if err := b.add(id); err != nil {
			return err
		}
		b.result.UpsertedIDs[index+b.sent] = id
	}
	b.result.MatchedCount += result.MatchedCount
	b.result.ModifiedCount += result.ModifiedCount
	b.result.DeletedCount += result.DeletedCount
	b.result.UpsertedCount += result.UpsertedCount
	return nil
}

func (b *bulkWrite) readIDs(ctx context.Context) ([]bson.Raw, error) {
	var found []bson.Raw
	for ids := range slices.Chunk(b.ids, idsAtOnce) {
		documents, err := b.c.read(ctx, withIDs(ids))
		if err != nil {
			return nil, err
		}
		found = append(found, documents...)
	}
	return found, nil
}

func (b *bulkWrite) record(ctx context.Context) error {
	after, err := b.readIDs(ctx)
	if err != nil {
		return err
	}
	expected := len(b.before) + int(b.result.InsertedCount+b.result.UpsertedCount-b.result.DeletedCount)
	if len(after) != expected {
		return b.c.unreadable(expected, len(after))
	}
	before := make([]bson.Raw, 0, len(b.before))
	for _, document := range b.before {
		before = append(before, document)
	}
	changes, err := documentChanges(b.c.aggregate, before, after, recordsUnchanged(ctx))
	if err != nil {
		return err
	}
	return recordEvents(ctx, b.c.db, b.c.aggregate, withoutReplaced(changes))
}

// withoutReplaced leaves out the deletion of an aggregate whose id another document took: the events of one aggregate
// must end with its last state.
func withoutReplaced(changes []Change) []Change {
	live := make(map[string]bool)
	for _, change := range changes {
		if change.Operation == OperationUpsert {
			live[change.AggregateID] = true
		}
	}
	return slices.DeleteFunc(changes, func(change Change) bool {
		return change.Operation != OperationUpsert && live[change.AggregateID]
	})
}

// namedID returns the _id that a filter contains, if the filter compares it for equality and nothing else. Only types
// that every registry encodes alike are accepted.
func namedID(filter any) (any, bool) {
	fields, ok := fieldsOf(filter)
	if !ok {
		return nil, false
	}
	for _, field := range fields {
		if field.Key != "_id" {
			continue
		}
		switch field.Value.(type) {
		case string, int, int32, int64, float64, bson.ObjectID, bson.Binary:
			return field.Value, true
		}
	}
	return nil, false
}

// equalIDKey returns the same text for ids that are equal to MongoDB: it compares numbers of all types.
func equalIDKey(id bson.RawValue) string {
	switch id.Type {
	case bson.TypeInt32:
		return "number " + strconv.FormatInt(int64(id.Int32()), 10)
	case bson.TypeInt64:
		return "number " + strconv.FormatInt(id.Int64(), 10)
	case bson.TypeDouble:
		return "number " + strconv.FormatFloat(id.Double(), 'f', -1, 64)
	}
	return string(id.Type) + string(id.Value)
}

// withIndexesFrom counts the models of an error from the start of the whole bulk write.
func withIndexesFrom(start int, err error) error {
	var failed mongo.BulkWriteException
	if !errors.As(err, &failed) {
		return err
	}
	failed.WriteErrors = slices.Clone(failed.WriteErrors)
	for index := range failed.WriteErrors {
		failed.WriteErrors[index].Index += start
	}
	return failed
}

package xmem

import (
	"context"
	"slices"

	outgraph "outgraph.example/writers/go"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// Memory is the temporal memory: users and their dated events. Each event is a document with an id of its own. Create
// it with [NewMemory].
//
// An argument or a document that is invalid is refused with [outgraph.CodePayloadInvalid].
type Memory struct {
	users, events *outgraph.Collection
}

// NewMemory returns the temporal memory in a database.
//
//	memory := xmem.NewMemory(db)
func NewMemory(db *mongo.Database, opts ...Option) *Memory {
	return &Memory{users: track(db, User, opts), events: track(db, Event, opts)}
}

// NewEvent has the fields of an event. An empty field is absent.
type NewEvent struct {
	// ID is the id of the event. Set it to be able to repeat the call. With nil, the event gets an ObjectID.
	ID     any    `bson:"-"`
	UserID string `bson:"user_id"`
	// Date is one of the 366 days, as "MM-DD".
	Date string `bson:"date"`
	Name string `bson:"event_name,omitempty"`
	Desc string `bson:"desc,omitempty"`
	// Year is a number or a text. The graph has a text.
	Year           any       `bson:"year,omitempty"`
	Time           string    `bson:"time,omitempty"`
	DateExpression string    `bson:"date_expression,omitempty"`
	Embedding      []float64 `bson:"embedding,omitempty"`
}

// AddUser creates the user if it does not exist.
//
//	err := memory.AddUser(ctx, "ada")
func (m *Memory) AddUser(ctx context.Context, userID string) error {
	user, err := filter(argument{"user_id", userID, name})
	if err != nil {
		return err
	}
	create, upsert := bson.D{{Key: "$setOnInsert", Value: user}}, options.UpdateOne().SetUpsert(true)
	_, err = m.users.UpdateOne(ctx, user, create, upsert)
	return err
}

// AddEvent adds an event, and returns its id. With an ID of your own you can repeat the call: it does not change an
// existing event.
//
//	id, err := memory.AddEvent(ctx, xmem.NewEvent{UserID: "ada", Date: "12-10", Name: "birthday"})
func (m *Memory) AddEvent(ctx context.Context, added NewEvent) (id any, err error) {
	if id = added.ID; id == nil {
		id = bson.NewObjectID()
	}
	create, upsert := bson.D{{Key: "$setOnInsert", Value: added}}, options.UpdateOne().SetUpsert(true)
	if _, err = m.events.UpdateOne(ctx, byID(id), create, upsert); err != nil {
		return nil, err
	}
	return id, nil
}

var changeable = []string{"date", "event_name", "desc", "year", "time", "date_expression", "embedding"}

// UpdateEvent changes the given fields of one event, and of no other event of that day. It clears a field that is nil.
// It returns false if there is no such event.
//
//	found, err := memory.UpdateEvent(ctx, id, bson.M{"time": "09:00", "desc": nil})
func (m *Memory) UpdateEvent(ctx context.Context, id any, changes bson.M) (bool, error) {
	given, cleared := bson.D{}, bson.D{}
	for field, value := range changes {
		switch {
		case !slices.Contains(changeable, field):
			return false, refused(field + ": an event has no changeable field of this name")
		case value == nil:
			cleared = append(cleared, bson.E{Key: field, Value: ""})
		default:
			given = append(given, bson.E{Key: field, Value: value})
		}
	}
	update := bson.D{}
	if len(given) > 0 {
		update = append(update, bson.E{Key: "$set", Value: given})
	}
	if len(cleared) > 0 {
		update = append(update, bson.E{Key: "$unset", Value: cleared})
	}
	if len(update) == 0 {
		found, err := m.events.CountDocuments(ctx, byID(id))
		return found > 0, err
	}
	result, err := m.events.UpdateOne(ctx, byID(id), update)
	return err == nil && result.MatchedCount > 0, err
}

// MoveEvent moves an event to another day. The move is one event of one aggregate, so a reader never sees the event on
// no day or on two. It returns false if there is no such event.
//
//	found, err := memory.MoveEvent(ctx, id, "12-11")
func (m *Memory) MoveEvent(ctx context.Context, id any, date string) (bool, error) {
	if _, err := filter(argument{"date", date, calendarDay}); err != nil {
		return false, err
	}
	return m.UpdateEvent(ctx, id, bson.M{"date": date})
}

// DeleteEvent deletes one event. It returns false if there was none.
//
//	deleted, err := memory.DeleteEvent(ctx, id)
func (m *Memory) DeleteEvent(ctx context.Context, id any) (bool, error) {
	result, err := m.events.DeleteOne(ctx, byID(id))
	return err == nil && result.DeletedCount > 0, err
}

// DeleteEventsByDate deletes the user's events of a day, and returns their number.
//
//	count, err := memory.DeleteEventsByDate(ctx, "ada", "12-10")
func (m *Memory) DeleteEventsByDate(ctx context.Context, userID, date string) (int64, error) {
	return m.deleteMany(ctx, argument{"user_id", userID, name}, argument{"date", date, calendarDay})
}

// DeleteEventsByName deletes the user's events of that name, and returns their number. It refuses an empty name, which
// is not a wildcard.
//
//	count, err := memory.DeleteEventsByName(ctx, "ada", "birthday")
func (m *Memory) DeleteEventsByName(ctx context.Context, userID, eventName string) (int64, error) {
	return m.deleteMany(ctx, argument{"user_id", userID, name}, argument{"event_name", eventName, name})
}

// ClearUser deletes all events of the user, and returns their number. The user stays.
//
//	count, err := memory.ClearUser(ctx, "ada")
func (m *Memory) ClearUser(ctx context.Context, userID string) (int64, error) {
	return m.deleteMany(ctx, argument{"user_id", userID, name})
}

func (m *Memory) deleteMany(ctx context.Context, arguments ...argument) (int64, error) {
	found, err := filter(arguments...)
	if err != nil {
		return 0, err
	}
	result, err := m.events.DeleteMany(ctx, found)
	if err != nil {
		return 0, err
	}
	return result.DeletedCount, nil
}

// byID uses the id as a value, even if it looks like an operator.
func byID(id any) bson.D {
	return bson.D{{Key: "_id", Value: bson.D{{Key: "$eq", Value: id}}}}
}

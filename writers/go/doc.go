// Package outgraph records changes of MongoDB documents for outgraph, which applies them to Neo4j. It writes the
// document and its event in one transaction: a committed change reaches the graph, and a change that was rolled back
// never does.
//
// Declare an [Aggregate] for a collection, [Track] the collection, and use it like the driver's own. Each verb that
// writes also records the events of the documents that it changed. It joins the transaction of the session in its
// context, or runs one of its own. If a tracked collection does not fit, write with the driver and call [RecordEvent]
// in the same transaction.
//
//	people := outgraph.Track(db, outgraph.Aggregate{Type: "person", Collection: "people"})
//	_, err := people.InsertOne(ctx, bson.M{"_id": "ada", "name": "Ada"})
//
// To wait until a write is in the graph, collect the ids of its events with [WithEventIDs] and call [Settled].
//
// A change that could never be applied is refused in the writer's own transaction, with a [Fault] that names the error
// and its path.
package outgraph

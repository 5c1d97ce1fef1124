// Package outgraph records changes of MongoDB documents for outgraph, which brings them to Neo4j. The document and its
// event are written in one transaction: committed in MongoDB means applied in the graph, and what was rolled back never
// reaches it.
//
// Declare an [Aggregate] for a collection, [Track] the collection, and use it like the driver's own: each verb that
// writes records the events of the documents that it changed. It joins the transaction of the session in its context,
// or runs one of its own. Where a tracked collection does not fit, write as you like and call [RecordEvent] in the same
// transaction.
//
// What could never be applied is refused in the writer's own transaction, with a [Fault] that says what and where.
package outgraph

// The privileges of each part in Neo4j. For Neo4j 5 Enterprise (5.13 or newer) and for the tiers of Aura that have
// roles of their own (Business Critical, Virtual Dedicated Cloud); Community, Aura Free and Aura Professional have
// none. Safe to run again. infra/permissions/apply-neo4j-roles.ts applies this file and creates the users. An
// administrator can also run it in the database `system`, after `:param database => 'neo4j'`. The worker's user gets
// the roles of the consumer and the sweep.
//
// Nothing here denies a read: Neo4j hides nodes that a user may not read, and a consumer that does not see a node
// creates it again.

// The consumer: reads and writes the whole graph, because events define its content. It creates the constraints of new
// labels and types.
CREATE ROLE outgraph_consumer IF NOT EXISTS;
GRANT ACCESS ON DATABASE $database TO outgraph_consumer;
GRANT MATCH {*} ON GRAPH $database ELEMENTS * TO outgraph_consumer;
GRANT CREATE ON GRAPH $database ELEMENTS * TO outgraph_consumer;
GRANT DELETE ON GRAPH $database ELEMENTS * TO outgraph_consumer;
GRANT SET PROPERTY {*} ON GRAPH $database ELEMENTS * TO outgraph_consumer;
GRANT SET LABEL * ON GRAPH $database TO outgraph_consumer;
GRANT REMOVE LABEL * ON GRAPH $database TO outgraph_consumer;
GRANT NAME MANAGEMENT ON DATABASE $database TO outgraph_consumer;
GRANT SHOW CONSTRAINT ON DATABASE $database TO outgraph_consumer;
// Without this privilege, an event whose label or type has no constraint is dead (label-not-declared,
// type-not-declared): the consumer can then write only what the set-up declares.
GRANT CREATE CONSTRAINT ON DATABASE $database TO outgraph_consumer;

// The sweep: the registry of aggregates, and nothing else of the graph.
CREATE ROLE outgraph_sweep IF NOT EXISTS;
GRANT ACCESS ON DATABASE $database TO outgraph_sweep;
GRANT MATCH {*} ON GRAPH $database NODES OutgraphAggregate TO outgraph_sweep;
GRANT SET PROPERTY {heldAt, _outgraphLock} ON GRAPH $database NODES OutgraphAggregate TO outgraph_sweep;
GRANT DELETE ON GRAPH $database NODES OutgraphAggregate TO outgraph_sweep;
// The first tombstone that is held creates the property name `heldAt`.
GRANT CREATE NEW PROPERTY NAME ON DATABASE $database TO outgraph_sweep;

// The set-up: constraints and an index. It also writes nodes of the registry: the outbox's id, and positions when it
// adopts a graph.
CREATE ROLE outgraph_set_up IF NOT EXISTS;
GRANT ACCESS ON DATABASE $database TO outgraph_set_up;
GRANT SHOW CONSTRAINT ON DATABASE $database TO outgraph_set_up;
GRANT CREATE CONSTRAINT ON DATABASE $database TO outgraph_set_up;
GRANT CREATE INDEX ON DATABASE $database TO outgraph_set_up;
GRANT MATCH {*} ON GRAPH $database NODES OutgraphAggregate TO outgraph_set_up;
GRANT CREATE ON GRAPH $database NODES OutgraphAggregate TO outgraph_set_up;
GRANT SET PROPERTY {key, position, _outgraphOutbox, _outgraphLock}
  ON GRAPH $database NODES OutgraphAggregate TO outgraph_set_up;
GRANT SET LABEL OutgraphAggregate ON GRAPH $database TO outgraph_set_up;
GRANT NAME MANAGEMENT ON DATABASE $database TO outgraph_set_up;

// Privileges that every user has through the role PUBLIC, and that no part needs: files and addresses of LOAD CSV, and
// the procedures of APOC.
DENY LOAD ON ALL DATA TO outgraph_consumer, outgraph_sweep, outgraph_set_up;
DENY EXECUTE PROCEDURE apoc.* ON DBMS TO outgraph_consumer, outgraph_sweep, outgraph_set_up;
DENY EXECUTE USER DEFINED FUNCTION apoc.* ON DBMS TO outgraph_consumer, outgraph_sweep, outgraph_set_up;

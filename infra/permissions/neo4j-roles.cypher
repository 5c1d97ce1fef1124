// The privileges of each part in Neo4j. They need custom roles: Neo4j 5 Enterprise (5.13 or newer),
// Aura Business Critical or Aura Virtual Dedicated Cloud. Community, Aura Free and Aura
// Professional do not support custom roles.
//
// infra/permissions/apply-neo4j-roles.ts applies this file and creates the users. An administrator
// can also run it in the database `system`, after `:param database => 'neo4j'`. It is safe to run
// again. The worker's user gets the roles of the consumer and the sweep.
//
// This file denies no reads: Neo4j hides nodes that a user may not read, and the consumer would
// create a hidden node again.

// The consumer: reads and writes the whole graph, because events define its content. It creates the
// constraints of new labels and types.
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
// Without this privilege, an event with a label or type that has no constraint is marked dead
// (label-not-declared, type-not-declared): the consumer can write only what the set-up declares.
GRANT CREATE CONSTRAINT ON DATABASE $database TO outgraph_consumer;

// The sweep: only the registry of aggregates.
CREATE ROLE outgraph_sweep IF NOT EXISTS;
GRANT ACCESS ON DATABASE $database TO outgraph_sweep;
GRANT MATCH {*} ON GRAPH $database NODES OutgraphAggregate TO outgraph_sweep;
GRANT SET PROPERTY {heldAt, _outgraphLock} ON GRAPH $database NODES OutgraphAggregate TO outgraph_sweep;
GRANT DELETE ON GRAPH $database NODES OutgraphAggregate TO outgraph_sweep;
// The first held tombstone creates the property name `heldAt`.
GRANT CREATE NEW PROPERTY NAME ON DATABASE $database TO outgraph_sweep;

// The set-up: constraints and an index. It also writes nodes of the registry: the outbox's id, and
// positions when it adopts a graph.
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

// Every user has these privileges through the role PUBLIC, but no part needs them: LOAD CSV from
// files and URLs, and the procedures and functions of APOC.
DENY LOAD ON ALL DATA TO outgraph_consumer, outgraph_sweep, outgraph_set_up;
DENY EXECUTE PROCEDURE apoc.* ON DBMS TO outgraph_consumer, outgraph_sweep, outgraph_set_up;
DENY EXECUTE USER DEFINED FUNCTION apoc.* ON DBMS TO outgraph_consumer, outgraph_sweep, outgraph_set_up;

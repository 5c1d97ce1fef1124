package outgraph

import (
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// Graph is the built-in aggregate type whose payload is the subgraph itself. It needs no projection.
//
//	_, err := outgraph.Track(db, outgraph.Graph).InsertOne(ctx, bson.M{
//		"_id":   "ada",
//		"nodes": bson.A{bson.M{"label": "Person", "key": bson.M{"id": "ada"}, "properties": bson.M{"name": "Ada"}}},
//	})
//
// The payload is checked against every rule of the subgraph that needs no database, with the codes and paths of the
// consumer: [CodeSubgraphInvalid], [CodeSubgraphTooLarge], [CodeElementDuplicate], [CodeNameInvalid],
// [CodeValueUnsupported], [CodeKeyInvalid] and [CodeKeyMismatch].
var Graph = Aggregate{Type: "graph", Collection: "graphs", Check: checkGraph}

const (
	subgraphMaxElements = 10_000
	nameMaxCharacters   = 128
	registryLabel       = "OutgraphAggregate"
	bookkeepingPrefix   = "_outgraph"
)

func checkGraph(payload bson.Raw) error {
	subgraph, err := readFields(bson.RawValue{Type: bson.TypeEmbeddedDocument, Value: payload}, "subgraph")
	if err != nil {
		return err
	}
	// A tracked document has its own _id. All other fields are part of the subgraph.
	subgraph.remove("_id")
	if err := subgraph.allow("subgraph", "nodes", "relationships"); err != nil {
		return err
	}
	nodes, err := readList(subgraph.get("nodes"), "nodes")
	if err != nil {
		return err
	}
	relationships, err := readList(subgraph.get("relationships"), "relationships")
	if err != nil {
		return err
	}
	if size := len(nodes) + len(relationships); size > subgraphMaxElements {
		return faultf(CodeSubgraphTooLarge,
			"subgraph: %d elements, at most %d are allowed; move lists that grow without bound to aggregates "+
				"of their own.", size, subgraphMaxElements)
	}
	return checkElements(nodes, relationships)
}

// fields are the fields of an object. If a name occurs twice, the last value counts.
type fields struct {
	names  []string
	values map[string]bson.RawValue
}

func (f *fields) get(name string) bson.RawValue { return f.values[name] }

func (f *fields) remove(name string) {
	delete(f.values, name)
	f.names = slices.DeleteFunc(f.names, func(other string) bool { return other == name })
}

// allow refuses the first unknown field.
func (f *fields) allow(path string, known ...string) error {
	for _, name := range f.names {
		if !slices.Contains(known, name) {
			return faultf(CodeSubgraphInvalid, "%s.%s: unknown field; allowed are %s.", path, name, join(known))
		}
	}
	return nil
}

func readFields(raw bson.RawValue, path string) (*fields, error) {
	document, ok := raw.DocumentOK()
	if !ok {
		return nil, faultf(CodeSubgraphInvalid, "%s: must be an object.", path)
	}
	elements, err := document.Elements()
	if err != nil {
		return nil, faultf(CodeSubgraphInvalid, "%s: must be an object.", path)
	}
	read := &fields{values: make(map[string]bson.RawValue, len(elements))}
	for _, element := range elements {
		if _, twice := read.values[element.Key()]; !twice {
			read.names = append(read.names, element.Key())
		}
		read.values[element.Key()] = element.Value()
	}
	return read, nil
}

func readList(raw bson.RawValue, path string) ([]bson.RawValue, error) {
	if isAbsent(raw) {
		return nil, nil
	}
	array, ok := raw.ArrayOK()
	if !ok {
		return nil, faultf(CodeSubgraphInvalid, "%s: must be an array.", path)
	}
	values, err := array.Values()
	if err != nil {
		return nil, faultf(CodeSubgraphInvalid, "%s: must be an array.", path)
	}
	return values, nil
}

// isAbsent reports whether a field is missing or null, which mean the same.
func isAbsent(raw bson.RawValue) bool {
	return raw.Type == 0 || raw.Type == bson.TypeNull || raw.Type == bson.TypeUndefined
}

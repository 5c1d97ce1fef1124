package outgraph

import (
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// Graph is the built-in aggregate type whose payload is the subgraph itself: { _id, nodes: [...], relationships: [...]
// }. It needs no projection. The payload is checked against every rule of the subgraph that needs no database, by the
// same codes and paths as the consumer's.
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
	// A tracked document carries its own _id; everything else is a part of the subgraph.
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
			"subgraph: %d elements, at most %d are allowed; make aggregates of their own of what grows without bound.", size, subgraphMaxElements)
	}
	return checkElements(nodes, relationships)
}

// fields are those of an object; of a name that stands twice, the last one counts.
type fields struct {
	names  []string
	values map[string]bson.RawValue
}

func (f *fields) get(name string) bson.RawValue { return f.values[name] }

func (f *fields) remove(name string) {
	delete(f.values, name)
	f.names = slices.DeleteFunc(f.names, func(other string) bool { return other == name })
}

// allow refuses the first field that is none of the known ones.
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

// isAbsent: a null says the same as a field that is left out.
func isAbsent(raw bson.RawValue) bool {
	return raw.Type == 0 || raw.Type == bson.TypeNull || raw.Type == bson.TypeUndefined
}

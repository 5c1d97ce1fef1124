package outgraph

import (
	"fmt"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// endpoint names a node: its label, the names of its key properties, and an identity that is the same text wherever the
// node is named.
type endpoint struct {
	label, keyNames, identity string
}

// checkElements checks each element, then the elements against each other.
func checkElements(nodes, relationships []bson.RawValue) error {
	var named []placed
	var nodeIdentities, relationshipIdentities []string
	for index, raw := range nodes {
		path := fmt.Sprintf("nodes[%d]", index)
		node, err := readNode(raw, path)
		if err != nil {
			return err
		}
		named = append(named, placed{node, path})
		nodeIdentities = append(nodeIdentities, node.identity)
	}
	for index, raw := range relationships {
		path := fmt.Sprintf("relationships[%d]", index)
		relationship, err := readRelationship(raw, path)
		if err != nil {
			return err
		}
		named = append(named, placed{relationship.from, path + ".from"}, placed{relationship.to, path + ".to"})
		relationshipIdentities = append(relationshipIdentities, relationship.identity)
	}
	if err := refuseDuplicates(nodeIdentities, "nodes"); err != nil {
		return err
	}
	if err := refuseDuplicates(relationshipIdentities, "relationships"); err != nil {
		return err
	}
	return refuseMixedKeys(named)
}

func readNode(raw bson.RawValue, path string) (endpoint, error) {
	none := endpoint{}
	node, err := readFields(raw, path)
	if err != nil {
		return none, err
	}
	if err := node.allow(path, "label", "key", "labels", "properties", "shared"); err != nil {
		return none, err
	}
	name, key, err := readNameAndKey(node, path)
	if err != nil {
		return none, err
	}
	shared, err := readShared(node, path)
	if err != nil {
		return none, err
	}
	labels, err := readLabels(node.get("labels"), path+".labels", name.label)
	if err != nil {
		return none, err
	}
	properties, err := readProperties(node.get("properties"), path+".properties")
	if err != nil {
		return none, err
	}
	for _, property := range properties {
		if slices.Contains(key, property) {
			return none, faultf(CodeSubgraphInvalid,
				"%s.properties.%s: a key property may not appear again under properties.", path, property)
		}
	}
	if shared && labels+len(properties) > 0 {
		return none, faultf(CodeSubgraphInvalid,
			"%s: a shared node has neither labels nor properties; leave them out, or own the node.", path)
	}
	return name, nil
}

type relationship struct {
	from, to endpoint
	identity string
}

func readRelationship(raw bson.RawValue, path string) (relationship, error) {
	none := relationship{}
	fields, err := readFields(raw, path)
	if err != nil {
		return none, err
	}
	if err := fields.allow(path, "type", "from", "to", "key", "properties", "shared"); err != nil {
		return none, err
	}
	kind, err := readName(fields.get("type"), path+".type")
	if err != nil {
		return none, err
	}
	from, err := readEndpoint(fields.get("from"), path+".from")
	if err != nil {
		return none, err
	}
	to, err := readEndpoint(fields.get("to"), path+".to")
	if err != nil {
		return none, err
	}
	key := "null"
	if raw := fields.get("key"); !isAbsent(raw) {
		text, ok := raw.StringValueOK()
		if !ok {
			return none, faultf(CodeSubgraphInvalid, "%s.key: must be a string.", path)
		}
		key = fmt.Sprintf("%q", text)
	}
	shared, err := readShared(fields, path)
	if err != nil {
		return none, err
	}
	properties, err := readProperties(fields.get("properties"), path+".properties")
	if err != nil {
		return none, err
	}
	if shared && len(properties) > 0 {
		return none, faultf(CodeSubgraphInvalid,
			"%s: a shared relationship has no properties; leave them out, or own it.", path)
	}
	return relationship{from, to, fmt.Sprintf("%q %q %q %s", kind, from.identity, to.identity, key)}, nil
}

func readEndpoint(raw bson.RawValue, path string) (endpoint, error) {
	fields, err := readFields(raw, path)
	if err != nil {
		return endpoint{}, err
	}
	if err := fields.allow(path, "label", "key"); err != nil {
		return endpoint{}, err
	}
	name, _, err := readNameAndKey(fields, path)
	return name, err
}

func readNameAndKey(fields *fields, path string) (endpoint, []string, error) {
	label, err := readLabel(fields.get("label"), path+".label")
	if err != nil {
		return endpoint{}, nil, err
	}
	key, err := readFields(fields.get("key"), path+".key")
	if err != nil {
		return endpoint{}, nil, err
	}
	if len(key.names) == 0 {
		return endpoint{}, nil, faultf(CodeKeyInvalid, "%s.key: at least one key property is needed.", path)
	}
	names := slices.Sorted(slices.Values(key.names))
	identity := label
	for _, name := range names {
		place := path + ".key." + name
		if err := checkName(name, place); err != nil {
			return endpoint{}, nil, err
		}
		value, err := keyValue(key.get(name), place)
		if err != nil {
			return endpoint{}, nil, err
		}
		identity += fmt.Sprintf(" %s %q", name, value)
	}
	return endpoint{label: label, keyNames: join(names), identity: identity}, names, nil
}

func refuseDuplicates(identities []string, list string) error {
	seen := make(map[string]int, len(identities))
	for index, identity := range identities {
		if first, twice := seen[identity]; twice {
			return faultf(CodeElementDuplicate, "%s[%d]: the same as %s[%d]; list it once.", list, index, list, first)
		}
		seen[identity] = index
	}
	return nil
}

type placed struct {
	endpoint
	path string
}

// refuseMixedKeys refuses a label with different key properties: each label has one set of them everywhere, so also
// within one subgraph.
func refuseMixedKeys(named []placed) error {
	keyNames := make(map[string]string)
	for _, place := range named {
		first, known := keyNames[place.label]
		if known && first != place.keyNames {
			return faultf(CodeKeyMismatch, "%s.key: %s is keyed by %s elsewhere in this subgraph, not by %s.",
				place.path, place.label, first, place.keyNames)
		}
		keyNames[place.label] = place.keyNames
	}
	return nil
}

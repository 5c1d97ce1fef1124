package outgraph

import (
	"fmt"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// readLabels returns the number of labels besides the node's own.
func readLabels(raw bson.RawValue, path, label string) (int, error) {
	list, err := readList(raw, path)
	if err != nil {
		return 0, err
	}
	further := 0
	for index, raw := range list {
		name, err := readLabel(raw, fmt.Sprintf("%s[%d]", path, index))
		if err != nil {
			return 0, err
		}
		if name != label {
			further++
		}
	}
	return further, nil
}

// readProperties returns the names of the properties that have a value.
func readProperties(raw bson.RawValue, path string) ([]string, error) {
	if isAbsent(raw) {
		return nil, nil
	}
	properties, err := readFields(raw, path)
	if err != nil {
		return nil, err
	}
	var present []string
	for _, name := range properties.names {
		place := path + "." + name
		if err := checkName(name, place); err != nil {
			return nil, err
		}
		if value := properties.get(name); !isAbsent(value) {
			if err := checkValue(value, place); err != nil {
				return nil, err
			}
			present = append(present, name)
		}
	}
	return present, nil
}

func readShared(fields *fields, path string) (bool, error) {
	raw := fields.get("shared")
	if isAbsent(raw) {
		return false, nil
	}
	shared, ok := raw.BooleanOK()
	if !ok {
		return false, faultf(CodeSubgraphInvalid, "%s.shared: must be true or false.", path)
	}
	return shared, nil
}

func readLabel(raw bson.RawValue, path string) (string, error) {
	if text, ok := raw.StringValueOK(); ok && text == registryLabel {
		return "", faultf(CodeNameInvalid, "%s: %s is kept for outgraph itself.", path, registryLabel)
	}
	return readName(raw, path)
}

func readName(raw bson.RawValue, path string) (string, error) {
	text, ok := raw.StringValueOK()
	if !ok {
		return "", faultf(CodeNameInvalid, "%s: a name must be a string.", path)
	}
	return text, checkName(text, path)
}

func checkName(name, path string) error {
	if strings.HasPrefix(name, bookkeepingPrefix) {
		return faultf(CodeNameInvalid,
			"%s: names that begin with %s are kept for outgraph itself.", path, bookkeepingPrefix)
	}
	for index, character := range []byte(name) {
		letter := character >= 'A' && character <= 'Z' || character >= 'a' && character <= 'z'
		if !letter && (index == 0 || character != '_' && (character < '0' || character > '9')) {
			name = ""
			break
		}
	}
	if name == "" || len(name) > nameMaxCharacters {
		return faultf(CodeNameInvalid, "%s: a name must match ^[A-Za-z][A-Za-z0-9_]{0,127}$.", path)
	}
	return nil
}

func join(names []string) string { return strings.Join(names, ", ") }
